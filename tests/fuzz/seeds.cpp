// Before libFuzzer reads its inputs, the seeds are put among them: into the folder ORRERY_FUZZ_SEEDS.
#include <fstream>
#include <string>

#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerInitialize(int*, char***);

int LLVMFuzzerInitialize(int*, char***) {
    const char* folder = std::getenv("ORRERY_FUZZ_SEEDS");
    if (!folder) return 0;
    int number = 0;
    for (const Input& seed : fuzz_seeds()) {
        std::ofstream out(folder + ("/seed" + std::to_string(number++)), std::ios::binary);
        out.write(reinterpret_cast<const char*>(seed.data()),
                  static_cast<std::streamsize>(seed.size()));
    }
    return 0;
}

// Runs a fuzz target where there is no libFuzzer: its seeds, changed at random, or the files that are named.
// Knows libFuzzer's options -seed=N, -runs=N and -max_total_time=SECONDS.
#include <sanitizer/common_interface_defs.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "tests/fuzz/fuzz.hpp"

namespace {

uint32_t current_seed = 0;

void change(Input& input, std::mt19937& random) {
    const auto any = static_cast<uint32_t>(random());
    if (input.empty()) input.push_back(0);
    const size_t at = any % input.size();
    switch (random() % 6) {
        case 0: input[at] ^= static_cast<uint8_t>(1u << random() % 8); return;
        case 1: input[at] = static_cast<uint8_t>(random()); return;
        case 2: {
            constexpr uint32_t kNasty[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xffff};
            const uint32_t word = kNasty[random() % std::size(kNasty)];
            for (size_t i = 0; i < 4 && at + i < input.size(); ++i)
                input[at + i] = static_cast<uint8_t>(word >> 8 * i);
            return;
        }
        case 3: input.resize(at + 1); return;
        case 4:
            for (uint32_t i = 1 + random() % 24; i > 0; --i)
                input.push_back(static_cast<uint8_t>(random()));
            return;
        default: {  // a piece of it once more
            const Input piece(
                input.begin() + static_cast<long>(at),
                input.begin() + static_cast<long>(std::min(input.size(), at + 1 + random() % 32)));
            input.insert(input.begin() + static_cast<long>(random() % input.size()), piece.begin(),
                         piece.end());
        }
    }
}

Input file_contents(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Each run begins with a seed; its number is said when the run ends the program. `seconds`: 0 for as many runs.
int run(uint32_t seed, uint32_t runs, uint32_t seconds) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::seconds(seconds);
    const std::vector<Input> seeds = fuzz_seeds();
    for (const Input& input : seeds) LLVMFuzzerTestOneInput(input.data(), input.size());
    uint32_t done = 0;
    for (; seconds ? Clock::now() < end : done < runs; ++done) {
        current_seed = seed + done;
        std::mt19937 random(current_seed);
        Input input = seeds[random() % seeds.size()];
        for (uint32_t changes = 1 + random() % 12; changes > 0; --changes) change(input, random);
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    current_seed = 0;
    std::fprintf(stderr, "%u runs, %zu seeds\n", done, seeds.size());
    return 0;
}

// Both are called where no more than a write is safe.
void say_seed(int) {
    char text[] = "the run that began with seed ..........\n";
    for (uint32_t i = 0, left = current_seed; i < 10; ++i, left /= 10)
        text[sizeof text - 3 - i] = left || !i ? static_cast<char>('0' + left % 10) : ' ';
    if (current_seed) static_cast<void>(!write(2, text, sizeof text - 1));
}
void say_and_abort(int signal) {
    say_seed(signal);
    std::signal(SIGABRT, SIG_DFL);
    std::abort();
}

}  // namespace

int main(int count, char** words) {
    uint32_t seed = 1, runs = 1000, seconds = 0;
    bool files = false;
    __sanitizer_set_death_callback([] { say_seed(0); });
    std::signal(SIGABRT, say_and_abort);
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        if (word.starts_with("-seed=")) {
            seed = static_cast<uint32_t>(std::stoul(word.substr(6)));
        } else if (word.starts_with("-runs=")) {
            runs = static_cast<uint32_t>(std::stoul(word.substr(6)));
        } else if (word.starts_with("-max_total_time=")) {
            seconds = static_cast<uint32_t>(std::stoul(word.substr(16)));
        } else {
            const Input input = file_contents(word);
            LLVMFuzzerTestOneInput(input.data(), input.size());
            files = true;
        }
    }
    return files ? 0 : run(seed, runs, seconds);
}

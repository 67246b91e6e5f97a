// The firmware's table of processors and interrupt controllers.
// sources: drivers/madt.cpp
// runs: 40000
#include "drivers/madt.hpp"

#include "tests/fuzz/fuzz.hpp"

std::vector<Input> fuzz_seeds() {
    Input table(44);
    for (const Input& entry :
         {Input{0, 8, 0, 0, 1, 0, 0, 0}, Input{0, 8, 1, 1, 1, 0, 0, 0},
          Input{1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0}, Input{2, 10, 0, 9, 9, 0, 0, 0, 13, 0},
          Input{4, 6, 0xff, 0, 0, 1}, Input{5, 12, 0, 0, 0, 0, 0xe0, 0xfe, 0, 0, 0, 0}})
        table.insert(table.end(), entry.begin(), entry.end());
    return {table, Input(44)};
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
    const Input exact(bytes, bytes + count);  // its end is watched
    const std::optional<MadtInfo> info = parse_madt(exact);
    if (!info) return 0;
    FUZZ_CHECK(info->processor_count && info->processor_count <= MadtInfo::kProcessorsMost);
    FUZZ_CHECK(info->io_apic_count && info->io_apic_count <= MadtInfo::kIoApicsMost);
    return 0;
}

// See madt.hpp.
#include "drivers/madt.hpp"

namespace {

constexpr size_t kLocalApic = 36, kEntries = 44;
enum Type : uint8_t { processor = 0, io_apic = 1, override = 2, local_apic_address = 5 };
constexpr size_t kTypeLengths[] = {8, 12, 10, 0, 0, 12};  // the least that is of use
constexpr uint8_t kEnabled = 1, kIsaBus = 0;

uint32_t word_at(std::span<const uint8_t> bytes, size_t at) {
    return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 |
           static_cast<uint32_t>(bytes[at + 3]) << 24;
}

void add_processor(MadtInfo& info, std::span<const uint8_t> entry) {
    if (!(entry[4] & kEnabled)) return;
    if (info.processor_count == MadtInfo::kProcessorsMost) {
        info.incomplete = true;
        return;
    }
    info.processors[info.processor_count++] = entry[3];
}

void add_io_apic(MadtInfo& info, std::span<const uint8_t> entry) {
    if (info.io_apic_count == MadtInfo::kIoApicsMost) {
        info.incomplete = true;
        return;
    }
    info.io_apics[info.io_apic_count++] = {word_at(entry, 4), word_at(entry, 8)};
}

// Spec: table 5-26. 0 means as the bus does it: for ISA active high, by edge.
void add_override(MadtInfo& info, std::span<const uint8_t> entry) {
    const uint8_t bus = entry[2], line = entry[3], flags = entry[8];
    if (bus != kIsaBus || line >= kIsaLines) {
        info.incomplete = true;
        return;
    }
    info.isa[line] = {word_at(entry, 4), (flags & 3) == 3, (flags >> 2 & 3) == 3};
}

}  // namespace

std::optional<MadtInfo> parse_madt(std::span<const uint8_t> table) {
    if (table.size() < kEntries) return {};
    MadtInfo info;
    info.local_apic = word_at(table, kLocalApic);
    for (uint32_t line = 0; line < kIsaLines; ++line) info.isa[line] = {line, false, false};
    for (size_t at = kEntries; at + 2 <= table.size();) {
        const uint8_t type = table[at];
        const size_t length = table[at + 1];
        if (length < 2 || at + length > table.size()) {
            info.incomplete = true;
            break;
        }
        const auto entry = table.subspan(at, length);
        at += length;
        if (type >= sizeof kTypeLengths / sizeof *kTypeLengths) continue;
        if (length < kTypeLengths[type]) {
            info.incomplete = true;
            continue;
        }
        if (type == Type::processor) add_processor(info, entry);
        if (type == Type::io_apic) add_io_apic(info, entry);
        if (type == Type::override) add_override(info, entry);
        if (type == Type::local_apic_address && word_at(entry, 8) == 0)
            info.local_apic = word_at(entry, 4);
    }
    if (!info.local_apic || !info.processor_count || !info.io_apic_count) return {};
    return info;
}

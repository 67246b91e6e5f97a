// See acpi.hpp. The root table names the others; each is checked by its checksum before it is read.
#include "drivers/acpi.hpp"

#include "kernel/arch/memory_layout.hpp"
#include "kernel/lib/log.hpp"

namespace {

constexpr PhysAddr kEbdaSegment{0x40E};  // Spec: 5.2.5.1: the first KiB of the EBDA, then this
constexpr PhysAddr kBiosStart{0xE0000};
constexpr uint32_t kBiosBytes = 0x20000, kEbdaBytes = 1024;
// The first 20 bytes are revision 0's; from revision 2 on there is a longer one with its own sum.
constexpr uint32_t kRsdpBytes = 20, kRsdpRevision = 15, kRsdpRsdt = 16;
constexpr uint32_t kLongRsdpBytes = 36, kRsdpXsdt = 24;
constexpr uint32_t kHeaderBytes = 36, kHeaderLength = 4;
constexpr uint32_t kMaxTable = 1 << 20;

constinit PhysicalMapper map_physical = nullptr;
constinit std::span<const uint8_t> root_table;  // RSDT or XSDT
constinit uint32_t root_pointer_bytes = 4;      // in it

uint32_t word_at(std::span<const uint8_t> bytes, size_t at) {
    uint32_t value;
    __builtin_memcpy(&value, bytes.subspan(at, 4).data(), 4);
    return value;
}

std::span<const uint8_t> view(PhysAddr start, uint32_t bytes) {
    if (start.raw() < kDirectMapLimit && bytes <= kDirectMapLimit - start.raw())
        return {static_cast<const uint8_t*>(to_virtual(start)), bytes};
    if (!map_physical) return {};
    Result<void*> mapped = map_physical(start, bytes);
    if (mapped.is_error()) return {};
    return {static_cast<const uint8_t*>(mapped.value()), bytes};
}

std::span<const uint8_t> read_table(PhysAddr start) {
    auto header = view(start, kHeaderBytes);
    if (header.empty()) return {};
    uint32_t length = word_at(header, kHeaderLength);
    if (length < kHeaderBytes || length > kMaxTable) return {};
    auto table = view(start, length);
    return acpi_checksum_ok(table) ? table : std::span<const uint8_t>{};
}

bool is_rsdp(std::span<const uint8_t> bytes) {
    return bytes.size() >= kRsdpBytes && __builtin_memcmp(bytes.data(), "RSD PTR ", 8) == 0 &&
           acpi_checksum_ok(bytes.first(kRsdpBytes));
}

std::span<const uint8_t> find_rsdp(PhysAddr start, uint32_t bytes) {
    auto area = view(start, bytes);
    for (size_t at = 0; at + kRsdpBytes <= area.size(); at += 16) {
        if (is_rsdp(area.subspan(at))) return area.subspan(at);
    }
    return {};
}

bool has_signature(std::span<const uint8_t> table, std::string_view signature) {
    return !table.empty() && __builtin_memcmp(table.data(), signature.data(), 4) == 0;
}

bool use_root(uint32_t address, std::string_view signature, uint32_t pointer_bytes) {
    if (!address) return false;
    auto table = read_table(PhysAddr(address));
    if (!has_signature(table, signature)) return false;
    root_table = table;
    root_pointer_bytes = pointer_bytes;
    return true;
}

// The XSDT, if there is one below 4 GiB and all sums are right.
bool use_long_root(std::span<const uint8_t> rsdp) {
    if (rsdp[kRsdpRevision] < 2 || rsdp.size() < kLongRsdpBytes) return false;
    const auto whole = rsdp.first(kLongRsdpBytes);
    if (!acpi_checksum_ok(whole) || word_at(whole, kRsdpXsdt + 4)) return false;
    return use_root(word_at(whole, kRsdpXsdt), "XSDT", 8);
}

}  // namespace

void acpi_init(PhysicalMapper map, std::span<const uint8_t> root_pointer) {
    map_physical = map;
    uint16_t segment;
    __builtin_memcpy(&segment, view(kEbdaSegment, sizeof segment).data(), sizeof segment);
    auto rsdp = is_rsdp(root_pointer) ? root_pointer : std::span<const uint8_t>{};
    if (rsdp.empty() && segment) rsdp = find_rsdp(PhysAddr(uint32_t{segment} << 4), kEbdaBytes);
    if (rsdp.empty()) rsdp = find_rsdp(kBiosStart, kBiosBytes);
    if (rsdp.empty()) return log_info("acpi: no tables");
    if (!use_long_root(rsdp) && !use_root(word_at(rsdp, kRsdpRsdt), "RSDT", 4))
        log_warning("acpi: table list unreadable");
}

std::span<const uint8_t> acpi_table(std::string_view signature) {
    VERIFY(signature.size() == 4);
    if (signature == "DSDT") {  // the one table that another points at
        constexpr uint32_t kFadtDsdt = 40;
        auto fadt = acpi_table("FACP");
        if (fadt.size() < kFadtDsdt + 4) return {};
        auto dsdt = read_table(PhysAddr(word_at(fadt, kFadtDsdt)));
        return has_signature(dsdt, signature) ? dsdt : std::span<const uint8_t>{};
    }
    for (size_t at = kHeaderBytes; at + root_pointer_bytes <= root_table.size();
         at += root_pointer_bytes) {
        if (root_pointer_bytes == 8 && word_at(root_table, at + 4)) continue;  // out of our reach
        PhysAddr start(word_at(root_table, at));
        if (has_signature(view(start, kHeaderBytes), signature)) return read_table(start);
    }
    return {};
}

uint16_t acpi_timer_port() {
    constexpr size_t kTimerBlock = 76, kTimerBytes = 91;  // in the FADT
    const auto fadt = acpi_table("FACP");
    if (fadt.size() <= kTimerBytes || fadt[kTimerBytes] != 4) return 0;
    return static_cast<uint16_t>(fadt[kTimerBlock] | fadt[kTimerBlock + 1] << 8);
}

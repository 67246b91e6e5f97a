// Finding \_S5 in a DSDT without an AML interpreter. Pure.
#include "drivers/acpi.hpp"

namespace {

constexpr uint8_t kNameOp = 0x08, kRootPrefix = '\\', kPackageOp = 0x12;
constexpr uint8_t kZeroOp = 0x00, kOneOp = 0x01, kBytePrefix = 0x0A;

// An integer constant of one byte; moves `at` behind it.
std::optional<uint8_t> small_integer(std::span<const uint8_t> aml, size_t& at) {
    if (at >= aml.size()) return {};
    uint8_t op = aml[at++];
    if (op == kZeroOp || op == kOneOp) return op;
    if (op != kBytePrefix || at >= aml.size()) return {};
    return aml[at++];
}

// What follows the name: PackageOp PkgLength NumElements Element Element ...
std::optional<SleepTypes> package(std::span<const uint8_t> aml, size_t at) {
    if (at + 2 > aml.size() || aml[at] != kPackageOp) return {};
    size_t length_bytes = 1 + (aml[at + 1] >> 6);  // Spec: 20.2.4
    at += 1 + length_bytes + 1;
    auto a = small_integer(aml, at);
    auto b = small_integer(aml, at);
    if (!a || *a > 7) return {};
    return SleepTypes{*a, b && *b <= 7 ? *b : *a};
}

}  // namespace

std::optional<SleepTypes> find_soft_off(std::span<const uint8_t> dsdt) {
    for (size_t i = 1; i + 4 < dsdt.size(); ++i) {
        if (__builtin_memcmp(&dsdt[i], "_S5_", 4) != 0) continue;
        bool named = dsdt[i - 1] == kNameOp ||
                     (dsdt[i - 1] == kRootPrefix && i >= 2 && dsdt[i - 2] == kNameOp);
        if (!named) continue;
        if (auto types = package(dsdt, i + 4)) return types;
    }
    return {};
}

bool acpi_checksum_ok(std::span<const uint8_t> bytes) {
    uint8_t sum = 0;
    for (uint8_t b : bytes) sum = static_cast<uint8_t>(sum + b);
    return sum == 0;
}

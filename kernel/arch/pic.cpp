// See pic.hpp.
#include "kernel/arch/pic.hpp"

#include "kernel/arch/io.hpp"

namespace {

constexpr uint16_t kMasterCommand = 0x20, kMasterData = 0x21, kSlaveCommand = 0xa0,
                   kSlaveData = 0xa1;
constexpr uint8_t kInitialise = 0x11;  // ICW1: edge triggered, cascade, ICW4 follows
constexpr uint8_t k8086Mode = 0x01;    // ICW4
constexpr uint8_t kEnd = 0x20, kReadInService = 0x0b;  // OCW2, OCW3
constexpr uint32_t kCascadeLine = 2;

// A write to an unused port takes long enough for an old controller to settle.
void settle() { out8(0x80, 0); }
void write_slowly(uint16_t port, uint8_t value) {
    out8(port, value);
    settle();
}

}  // namespace

void pic_init() {
    write_slowly(kMasterCommand, kInitialise);
    write_slowly(kSlaveCommand, kInitialise);
    write_slowly(kMasterData, kFirstIrqVector);  // ICW2
    write_slowly(kSlaveData, kFirstIrqVector + 8);
    write_slowly(kMasterData, 1 << kCascadeLine);  // ICW3: which line the slave hangs on
    write_slowly(kSlaveData, kCascadeLine);
    write_slowly(kMasterData, k8086Mode);
    write_slowly(kSlaveData, k8086Mode);
    out8(kMasterData, 0xff & ~(1u << kCascadeLine));
    out8(kSlaveData, 0xff);
}

void pic_mask_all() {
    out8(kMasterData, 0xff);
    out8(kSlaveData, 0xff);
}

void pic_unmask(uint32_t line) {
    uint16_t port = line < 8 ? kMasterData : kSlaveData;
    out8(port, in8(port) & ~(1u << (line & 7)));
}

void pic_end_of_interrupt(uint32_t line) {
    if (line >= 8) out8(kSlaveCommand, kEnd);
    out8(kMasterCommand, kEnd);
}

bool pic_is_spurious(uint32_t line) {
    if (line != 7 && line != 15) return false;
    uint16_t port = line == 7 ? kMasterCommand : kSlaveCommand;
    out8(port, kReadInService);
    if (in8(port) & 0x80) return false;
    // The master did see the cascade line for a spurious 15.
    if (line == 15) out8(kMasterCommand, kEnd);
    return true;
}

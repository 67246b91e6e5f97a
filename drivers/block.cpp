// See block.hpp. The registry of disks, and transfers that are one request in one piece.
#include "drivers/block.hpp"

#include <algorithm>

namespace {
constinit BlockDevices registry;
}

BlockDevice::BlockDevice(std::string_view name, uint32_t major, uint32_t minor)
    : device_number_(major << 8 | minor) {
    VERIFY(name.size() < sizeof name_);
    std::copy(name.begin(), name.end(), name_);
}

namespace {

Result<void> transfer(BlockDevice& device, BlockIo::Kind kind, Sector first, uint32_t count,
                      uint8_t* memory) {
    while (count) {
        const MemoryPiece piece{memory, std::min(count, kMostSectors)};
        BlockIo io(kind, first.raw(), piece.sectors, {&piece, 1});
        TRY(device.submit({&io, 1}));
        first = first + piece.sectors;
        count -= piece.sectors;
        memory += piece.sectors * kSectorSize;
    }
    return {};
}

}  // namespace

Result<void> BlockDevice::read(Sector first, uint32_t count, void* to) {
    return transfer(*this, BlockIo::Kind::read, first, count, static_cast<uint8_t*>(to));
}

Result<void> BlockDevice::write(Sector first, uint32_t count, const void* from) {
    auto* memory = static_cast<uint8_t*>(const_cast<void*>(from));  // which is only read
    return transfer(*this, BlockIo::Kind::write, first, count, memory);
}

Result<void> BlockDevice::submit(std::span<BlockIo> list) {
    Errno failure{};
    for (BlockIo& io : list) {
        Sector at(io.sector);
        for (const MemoryPiece& piece : io.memory) {
            Result<void> done = io.kind == BlockIo::Kind::read
                                    ? read(at, piece.sectors, piece.start)
                                    : write(at, piece.sectors, piece.start);
            if (done.is_error() && io.failure == Errno{}) io.failure = done.error();
            at = at + piece.sectors;
        }
        if (failure == Errno{}) failure = io.failure;
    }
    return failure;
}

void register_block_device(BlockDevice& device) { registry.push_back(device); }

BlockDevice* find_block_device(std::string_view name) {
    for (BlockDevice& device : registry)
        if (device.name() == name) return &device;
    return nullptr;
}

BlockDevices& block_devices() { return registry; }

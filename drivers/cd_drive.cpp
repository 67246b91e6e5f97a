// See cd_drive.hpp.
#include "drivers/cd_drive.hpp"

#include <algorithm>

#include "kernel/lib/log.hpp"
#include "kernel/lib/ref.hpp"
#include "kernel/sched/clock.hpp"

namespace {

constexpr uint32_t kAttempts = 4;
constexpr uint64_t kTenth = 100'000'000;  // nanoseconds

void wait_a_little() {
    WaitQueue nobody;
    SpinLock lock{LockRank::block_queue};
    LockGuard guard(lock);
    nobody.wait(lock, [] { return false; },
                {.interruptible = false, .deadline = monotonic_now() + kTenth, .reason = "disc"});
}

bool is_absent(const atapi::Sense& sense) {
    return sense.key == atapi::SenseKey::not_ready && sense.code == atapi::kMediumNotPresent;
}

}  // namespace

bool CdDrive::perform(const atapi::Packet& packet, uint8_t* to, uint32_t bytes,
                      atapi::Sense& sense) {
    AtaPacket request{which_, {}, to, bytes};
    std::copy(packet.begin(), packet.end(), request.command);
    return controller_.perform(request, sense);
}

void CdDrive::use_medium(uint32_t blocks) {
    blocks_.store_relaxed(blocks);
    medium_.add(1);
    queue_.set_size(sectors());
}

Result<void> CdDrive::read_capacity() {
    uint8_t bytes[atapi::kCapacityBytes];
    atapi::Sense sense;
    if (!perform(atapi::read_capacity(), bytes, sizeof bytes, sense)) return Errno::io;
    const atapi::Capacity capacity = atapi::decode_capacity(bytes);
    if (capacity.block_bytes != atapi::kBlockBytes || capacity.blocks > UINT32_MAX) {
        log_error("{}: blocks of {} bytes, not of {}", name(), capacity.block_bytes,
                  atapi::kBlockBytes);
        return Errno::io;
    }
    const auto found = static_cast<uint32_t>(capacity.blocks);
    if (found != blocks()) use_medium(found);
    return {};
}

// A drive tells once that its medium changed, and answers nothing else meanwhile.
Result<void> CdDrive::prepare(uint32_t patience) {
    atapi::Sense sense;
    for (uint32_t attempt = 0; attempt < kAttempts;) {
        if (perform(atapi::test_unit_ready(), nullptr, 0, sense)) return read_capacity();
        if (sense.key == atapi::SenseKey::not_ready && sense.code == atapi::kBecomingReady) {
            if (!patience--) return Errno::io;
            wait_a_little();
            continue;
        }
        if (is_absent(sense) || sense.key == atapi::SenseKey::unit_attention) {
            if (blocks()) use_medium(0);
            // It has just been put in, perhaps: the next answer will say so.
            if (is_absent(sense) && attempt > 0) return Errno::nomedium;
        }
        ++attempt;
    }
    log_error("{}: not ready: sense {:x}/{:02x}/{:02x}", name(), static_cast<uint32_t>(sense.key),
              sense.code, sense.qualifier);
    return Errno::io;
}

Result<void> CdDrive::read_piece(uint64_t sector, const MemoryPiece& piece) {
    const atapi::Packet packet = atapi::read_blocks(
        static_cast<uint32_t>(sector / kSectorsPerBlock), piece.sectors / kSectorsPerBlock);
    atapi::Sense sense;
    for (uint32_t i = 0; i < kAttempts; ++i) {
        if (perform(packet, piece.start, piece.sectors * kSectorSize, sense)) return {};
        if (is_absent(sense)) return Errno::nomedium;
        if (sense.key == atapi::SenseKey::illegal_request) break;
    }
    log_error("{}: read of sector {} failed: sense {:x}/{:02x}/{:02x}", name(), sector,
              static_cast<uint32_t>(sense.key), sense.code, sense.qualifier);
    return Errno::io;
}

void CdDrive::serve(const DiskRun& run) {
    for (BlockIo& io : run.members) {
        uint64_t at = io.sector;
        for (const MemoryPiece& piece : io.memory) {
            if (io.failure != Errno{}) break;
            Result<void> done = read_piece(at, piece);
            if (done.is_error()) io.failure = done.error();
            at += piece.sectors;
        }
    }
}

Result<void> CdDrive::read_blocks(uint64_t sector, uint32_t count, uint8_t* to) {
    while (count) {
        const MemoryPiece piece{to, std::min(count, kMostSectors)};
        BlockIo io(BlockIo::Kind::read, sector, piece.sectors, {&piece, 1});
        TRY(queue_.run({&io, 1}));
        sector += piece.sectors;
        count -= piece.sectors;
        to += piece.sectors * kSectorSize;
    }
    return {};
}

// Sectors that lie in one block, but aren't all of it.
Result<void> CdDrive::read_part(uint64_t sector, uint32_t count, uint8_t* to) {
    struct Block {
        uint8_t bytes[atapi::kBlockBytes];
    };
    Box<Block> block = TRY(make_box<Block>());
    const auto within = static_cast<uint32_t>(sector % kSectorsPerBlock);
    TRY(read_blocks(sector - within, kSectorsPerBlock, block->bytes));
    __builtin_memcpy(to, block->bytes + within * kSectorSize, count * kSectorSize);
    return {};
}

Result<void> CdDrive::read(Sector first, uint32_t count, void* to) {
    if (!blocks()) return Errno::nomedium;
    uint64_t at = first.raw();
    if (at > sectors() || count > sectors() - at) return Errno::io;
    auto* memory = static_cast<uint8_t*>(to);
    while (count) {
        const auto within = static_cast<uint32_t>(at % kSectorsPerBlock);
        const bool whole = !within && count >= kSectorsPerBlock;
        const uint32_t now = whole ? count / kSectorsPerBlock * kSectorsPerBlock
                                   : std::min(count, kSectorsPerBlock - within);
        TRY(whole ? read_blocks(at, now, memory) : read_part(at, now, memory));
        at += now;
        count -= now;
        memory += now * kSectorSize;
    }
    return {};
}

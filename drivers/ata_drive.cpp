// See ata_drive.hpp. An AtaDisk puts requests into its queue and serves them through its controller.
#include "drivers/ata_drive.hpp"

#include "drivers/cd_drive.hpp"
#include "drivers/disk_queue.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/ref.hpp"

namespace {

constexpr uint32_t kMajors[] = {3,  22, 33,
                                34, 56, 57};  // of two drives each. Spec: Linux devices.txt
constexpr uint32_t kMinorsPerDrive = 64;
static_assert(kLastDriveLetter - 'a' + 1 == 2 * std::size(kMajors));

class AtaDisk final : public BlockDevice, private DiskServer {
  public:
    AtaDisk(std::string_view name, uint32_t major, uint32_t minor, AtaController& controller,
            uint32_t which)
        : BlockDevice(name, major, minor), controller_(controller), which_(which) {
        queue_.set_size(sectors());
    }

    uint64_t sectors() const override { return identity().sectors; }
    uint32_t most_partitions() const override { return kMinorsPerDrive - 1; }
    Result<void> submit(std::span<BlockIo> list) override {
        for (const BlockIo& io : list)
            if (io.sector > sectors() || io.count > sectors() - io.sector) return Errno::io;
        return queue_.run(list);
    }
    Result<void> flush() override {
        if (!identity().flush) return {};
        BlockIo io(BlockIo::Kind::flush);
        return queue_.run({&io, 1});
    }
    DiskCounts counts() override { return queue_.counts(); }
    DiskQueue* queue() override { return &queue_; }

  private:
    const ata::Identity& identity() const { return controller_.identity(which_); }
    void serve(const DiskRun& run) override;
    Result<void> serve_alone(const BlockIo& io) {
        return controller_.perform(AtaRequest{which_, io.kind, io.sector, io.count, io.memory},
                                   AtaController::kAttempts);
    }
    bool serve_together(const DiskRun& run);

    AtaController& controller_;
    const uint32_t which_;
    DiskQueue queue_{*this, device_number()};
    MemoryPiece pieces_[kMostPieces];  // of the request under way
};

// One command for all; true if it went well at once.
bool AtaDisk::serve_together(const DiskRun& run) {
    uint32_t pieces = 0;
    for (const BlockIo& io : run.members)
        for (const MemoryPiece& piece : io.memory) pieces_[pieces++] = piece;
    const AtaRequest all{which_, run.kind, run.sector, run.count, {pieces_, pieces}};
    return controller_.perform(all, 1).is_ok();
}

// What fails together is tried one by one: one of them may be at fault.
void AtaDisk::serve(const DiskRun& run) {
    const bool several = run.members.front() != run.members.back();
    if (several && serve_together(run)) return;
    for (BlockIo& io : run.members)
        if (Result<void> done = serve_alone(io); done.is_error()) io.failure = done.error();
}

void describe(const AtaDisk& disk, const ata::Identity& identity, bool dma) {
    log_info("{}: {}, {} sectors ({} MiB), LBA{}{}", disk.name(), &identity.model[0],
             identity.sectors, identity.sectors >> 11, identity.lba48 ? 48 : 28,
             dma ? ", DMA" : "");
}

void describe(CdDrive& drive, const ata::Identity& identity, bool dma) {
    const Result<void> ready = drive.prepare(0);
    log_info("{}: {}, CD-ROM drive{}; {} ({} MiB)", drive.name(), &identity.model[0],
             dma ? ", DMA" : "",
             ready.is_ok()                      ? "a medium is in it"
             : ready.error() == Errno::nomedium ? "no medium"
                                                : "not ready",
             drive.sectors() >> 11);
}

template <typename Drive>
void add(AtaController& controller, uint32_t which, char letter, bool dma) {
    const char name[] = {'h', 'd', letter};
    const auto place = static_cast<uint32_t>(letter - 'a');
    auto drive = make_box<Drive>(std::string_view(name, sizeof name), kMajors[place / 2],
                                 place % 2 * kMinorsPerDrive, controller, which);
    if (drive.is_error()) return log_error("hd{}: no memory", letter);
    Drive& found = *drive.value().leak();  // lives forever, as its controller does
    describe(found, controller.identity(which), dma);
    register_block_device(found);
}

}  // namespace

void AtaController::report_failure(char letter, const AtaRequest& r, uint8_t status,
                                   uint8_t error) {
    constexpr std::string_view kNames[] = {"read", "write", "flush"};
    log_error("hd{}: {} of sector {} failed: status {:02x}, error {:02x}", letter,
              kNames[static_cast<uint32_t>(r.kind)], r.first, status, error);
}

void add_ata_drive(AtaController& controller, uint32_t which, AtaKind kind, char letter, bool dma) {
    if (kind != AtaKind::none && letter > kLastDriveLetter)
        return log_warning("ata: too many drives; one is left out");
    if (kind == AtaKind::disk) add<AtaDisk>(controller, which, letter, dma);
    if (kind == AtaKind::packet) add<CdDrive>(controller, which, letter, dma);
}

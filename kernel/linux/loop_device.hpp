// LoopDevice: a disk whose sectors are the bytes of a file. Requests go through a queue, as a real disk's
// do, and each is carried out by the device's own kernel thread: the asking thread may hold locks of a file
// system, and what serves it takes those of another one.
// Invariant: a device lives for ever, with a file (bound) or without; a request keeps the file that it
// began with. The device lets go of its file when told to and nobody else has the device open.
// Locks: `settings_lock_` (rank loop_device) for what is bound and how, held across changes; `job_lock_`
// (block_queue) for what the thread looks at.
// Spec: loop(4).
#pragma once

#include <bit>

#include "drivers/disk_queue.hpp"
#include "fs/file.hpp"
#include "kernel/sync/mutex.hpp"

constexpr uint32_t kLoopMajor = 7, kMostLoopDevices = 256;

// Bits of lo_flags. Spec: linux/loop.h.
constexpr uint32_t kLoopReadOnly = 1, kLoopAutoClear = 4, kLoopScanParts = 8, kLoopDirect = 16;

constexpr bool is_block_size(uint32_t bytes) {
    return bytes >= kSectorSize && bytes <= kPageSize && std::has_single_bit(bytes);
}

struct LoopSettings {
    uint64_t offset = 0, size_limit = 0;  // bytes; no limit: 0
    uint32_t flags = 0;
    uint32_t block_size = kSectorSize;
    char file_name[64] = {}, crypt_name[64] = {};  // as given, for LOOP_GET_STATUS
};

class LoopDevice final : public BlockDevice, private DiskServer {
  public:
    LoopDevice(std::string_view name, uint32_t number)
        : BlockDevice(name, kLoopMajor, number), queue_(*this, device_number()) {}

    // --- BlockDevice
    uint64_t sectors() const override { return sectors_.relaxed(); }
    bool read_only() const override { return flags_.relaxed() & kLoopReadOnly; }
    bool listed() const override { return listed_.relaxed(); }
    uint32_t logical_block_size() const override { return block_size_.relaxed(); }
    uint32_t medium() const override { return medium_.relaxed(); }
    // As on Linux the device that was removed is there again when it is opened.
    Result<void> prepare() override {
        listed_.store_relaxed(true);
        return {};
    }
    void opened() override;
    void closed() override;
    Result<int32_t> control(uint32_t request, uint32_t argument, bool may_write) override;
    Result<void> submit(std::span<BlockIo> list) override;
    Result<void> flush() override;
    DiskCounts counts() override { return queue_.counts(); }

    // --- what the calls do (loop_control.cpp decodes them). ENXIO: it has no file.
    // EBUSY: it has one; EBADF, EINVAL: that file cannot be one.
    Result<void> bind(Ref<File> file, LoopSettings settings);
    // Now, or if others have it open, when the last of them closes it.
    Result<void> clear();
    // EINVAL: it can be written, or the other file has another size.
    Result<void> change_file(Ref<File> file);
    Result<void> change_settings(const LoopSettings& settings);  // `flags`: those that may be set
    Result<void> look_at_size();
    Result<void> set_block_size(uint32_t bytes);
    Result<void> set_direct(bool wanted);
    // `file`: null where there is none.
    LoopSettings settings(Ref<File>& file);
    Result<void> remove();  // EBUSY: it is bound, or open

    uint32_t number() const { return device_number() & 0xff; }

  private:
    void serve(const DiskRun& run) override;
    [[noreturn]] void work();
    static void carry_out(BlockIo& io, File& file, uint64_t offset);
    void let_go(Ref<File>& file) REQUIRES(settings_lock_);
    Result<void> check(const File& file);
    Result<void> measure() REQUIRES(settings_lock_);
    uint32_t sectors_in(File& file) REQUIRES(settings_lock_);
    void put_file(Ref<File>& file) REQUIRES(settings_lock_);  // swaps
    Ref<File> bound() REQUIRES(settings_lock_);               // null: none

    DiskQueue queue_;
    Mutex settings_lock_{LockRank::loop_device};
    LoopSettings settings_ GUARDED_BY(settings_lock_);
    uint32_t users_ GUARDED_BY(settings_lock_) = 0;
    bool has_thread_ GUARDED_BY(settings_lock_) = false;
    Atomic<uint32_t> sectors_ = 0, flags_ = 0, block_size_ = kSectorSize, medium_ = 0;
    Atomic<bool> listed_ = true;

    SpinLock job_lock_{LockRank::block_queue};
    Ref<File> file_ GUARDED_BY(job_lock_);  // null: not bound
    uint64_t offset_ GUARDED_BY(job_lock_) = 0;
    const DiskRun* job_ GUARDED_BY(job_lock_) = nullptr;
    WaitQueue wake_, done_;
};

// Null: that is no loop device.
LoopDevice* as_loop_device(BlockDevice& device);
LoopDevice* loop_device_behind(File& file);  // that the file is

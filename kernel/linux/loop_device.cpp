// See loop_device.hpp: requests, and what is bound. The calls are in loop_control.cpp.
#include "kernel/linux/loop_device.hpp"

#include <algorithm>

#include "fs/inode.hpp"
#include "fs/page_cache.hpp"
#include "fs/write_back.hpp"
#include "kernel/sched/scheduler.hpp"
#include "mm/reclaim.hpp"

// --- requests

Result<void> LoopDevice::submit(std::span<BlockIo> list) {
    const uint64_t end = sectors();
    for (const BlockIo& io : list) {
        if (io.sector > end || io.count > end - io.sector) return Errno::io;
        if (io.kind == BlockIo::Kind::write && read_only()) return Errno::rofs;
    }
    return queue_.run(list);
}

// Without a file there is nothing to be flushed, and perhaps no thread yet that would serve it.
Result<void> LoopDevice::flush() {
    {
        LockGuard guard(job_lock_);
        if (!file_) return {};
    }
    BlockIo io(BlockIo::Kind::flush);
    return queue_.run({&io, 1});
}

// One at a time: the queue sees to that.
void LoopDevice::serve(const DiskRun& run) {
    LockGuard guard(job_lock_);
    job_ = &run;
    wake_.wake_one();
    done_.wait(job_lock_, [&]() NO_LOCK_ANALYSIS { return job_ != &run; },
               {.interruptible = false, .reason = "loop"});
}

void LoopDevice::work() {
    for (;;) {
        const DiskRun* run;
        Ref<File> file;
        uint64_t offset;
        {
            LockGuard guard(job_lock_);
            wake_.wait(job_lock_, [&]() NO_LOCK_ANALYSIS { return job_ != nullptr; },
                       {.interruptible = false, .reason = "loop"});
            run = job_;
            file = file_;
            offset = offset_;
        }
        for (BlockIo& io : run->members) {
            if (file)
                carry_out(io, *file, offset);
            else
                io.failure = Errno::io;
        }
        file = nullptr;
        LockGuard guard(job_lock_);
        job_ = nullptr;
        done_.wake_all();
    }
}

namespace {

// What the file no longer has is zeros.
Result<void> read_all(File& file, std::span<uint8_t> to, uint64_t at) {
    while (!to.empty()) {
        KernelSink sink(to);
        const uint32_t got = TRY(with_memory([&] { return file.read_at(sink, at); }));
        if (!got) break;
        to = to.subspan(got);
        at += got;
    }
    std::ranges::fill(to, uint8_t{0});
    return {};
}

Result<void> write_all(File& file, std::span<const uint8_t> from, uint64_t at) {
    while (!from.empty()) {
        const uint32_t put = TRY(with_memory([&] {
            KernelSource source(from);
            return file.write_at(source, at);
        }));
        if (!put) return Errno::io;
        from = from.subspan(put);
        at += put;
    }
    return {};
}

}  // namespace

// When much is dirty, what this request has written goes to the file's own disk at once: dirty pages of
// the file system on this device wait for this thread, and there must be room for them.
void LoopDevice::carry_out(BlockIo& io, File& file, uint64_t offset) {
    uint64_t at = offset + io.sector * kSectorSize;
    const uint64_t start = at;
    Result<void> done;
    if (io.kind == BlockIo::Kind::flush) done = file.sync(false);
    for (const MemoryPiece& piece : io.memory) {
        if (done.is_error()) break;
        const std::span<uint8_t> memory(piece.start, piece.sectors * kSectorSize);
        done = io.kind == BlockIo::Kind::read ? read_all(file, memory, at)
                                              : write_all(file, memory, at);
        at += memory.size();
    }
    if (done.is_ok() && io.kind == BlockIo::Kind::write && too_much_is_dirty())
        done = file.sync_range(start, at, true);
    if (done.is_error()) io.failure = done.error() == Errno::nospc ? Errno::nospc : Errno::io;
}

// --- what is bound

LoopDevice* as_loop_device(BlockDevice& device) {
    const bool is_one = device_major(device.device_number()) == kLoopMajor;
    return is_one ? static_cast<LoopDevice*>(&device) : nullptr;
}

LoopDevice* loop_device_behind(File& file) {
    const Result<Attributes> attributes = file.attributes();
    if (attributes.is_error() || (attributes.value().mode & kTypeMask) != kTypeBlock)
        return nullptr;
    for (BlockDevice& device : block_devices())
        if (device.device_number() == attributes.value().special_device)
            return as_loop_device(device);
    return nullptr;
}

// No device stands on itself, by way of others.
Result<void> LoopDevice::check(const File& file) {
    auto& at = const_cast<File&>(file);
    const uint32_t type = TRY(at.attributes()).mode & kTypeMask;
    Ref<File> below(at);
    while (LoopDevice* loop = loop_device_behind(*below)) {
        if (loop == this) return Errno::badf;
        Ref<File> next;
        {
            LockGuard guard(loop->job_lock_);
            next = loop->file_;
        }
        if (!next) return Errno::inval;
        below = next;
    }
    return type == kTypeRegular || type == kTypeBlock ? Result<void>() : Errno::inval;
}

Ref<File> LoopDevice::bound() {
    LockGuard guard(job_lock_);
    return file_;
}

void LoopDevice::put_file(Ref<File>& file) {
    LockGuard guard(job_lock_);
    std::swap(file_, file);
    offset_ = settings_.offset;
}

uint32_t LoopDevice::sectors_in(File& file) {
    const uint64_t all = file.end_offset(), offset = settings_.offset;
    uint64_t bytes = all > offset ? all - offset : 0;
    if (settings_.size_limit) bytes = std::min(bytes, settings_.size_limit);
    return static_cast<uint32_t>(std::min<uint64_t>(bytes / kSectorSize, UINT32_MAX));
}

// The cache of the device learns of its size, and forgets what was of another medium.
Result<void> LoopDevice::measure() {
    Ref<File> file;
    {
        LockGuard guard(job_lock_);
        file = file_;
        offset_ = settings_.offset;
    }
    flags_.store_relaxed(settings_.flags);
    block_size_.store_relaxed(settings_.block_size);
    sectors_.store_relaxed(file ? sectors_in(*file) : 0);
    queue_.set_size(sectors());
    static_cast<void>(TRY(device_cache(*this)));
    return {};
}

Result<void> LoopDevice::bind(Ref<File> file, LoopSettings settings) {
    LockGuard guard(settings_lock_);
    if (bound()) return Errno::busy;
    TRY(check(*file));
    if (!has_thread_) {
        Ref<Thread> thread = TRY(Thread::create(
            name(), [](void* device) { static_cast<LoopDevice*>(device)->work(); }, this));
        start_thread(*thread);
        has_thread_ = true;
    }
    if (!file->writable()) settings.flags |= kLoopReadOnly;
    settings_ = settings;
    put_file(file);
    medium_.add(1);
    Result<void> done = measure();
    if (done.is_error()) let_go(file);
    return done;
}

// The file comes out, to be dropped without the lock.
void LoopDevice::let_go(Ref<File>& file) {
    settings_ = {};
    put_file(file);
    medium_.add(1);
    static_cast<void>(
        measure());  // of nothing: without memory the cache learns it when next opened
}

Result<void> LoopDevice::clear() {
    Ref<File> file;
    LockGuard guard(settings_lock_);
    if (!bound()) return Errno::nxio;
    if (users_ > 1) {
        settings_.flags |= kLoopAutoClear;
        flags_.store_relaxed(settings_.flags);
        return {};
    }
    let_go(file);
    return {};
}

void LoopDevice::opened() {
    LockGuard guard(settings_lock_);
    ++users_;
}

void LoopDevice::closed() {
    Ref<File> file;
    LockGuard guard(settings_lock_);
    if (--users_ == 0 && bound() && (settings_.flags & kLoopAutoClear)) let_go(file);
}

Result<void> LoopDevice::change_file(Ref<File> file) {
    LockGuard guard(settings_lock_);
    if (!bound()) return Errno::nxio;
    if (!(settings_.flags & kLoopReadOnly)) return Errno::inval;
    TRY(check(*file));
    if (sectors_in(*file) != sectors_in(*bound())) return Errno::inval;
    put_file(file);
    medium_.add(1);
    return measure();
}

Result<void> LoopDevice::change_settings(const LoopSettings& wanted) {
    constexpr uint32_t kMaySet = kLoopAutoClear | kLoopScanParts, kMayClear = kLoopAutoClear;
    LockGuard guard(settings_lock_);
    if (!bound()) return Errno::nxio;
    const bool moves =
        wanted.offset != settings_.offset || wanted.size_limit != settings_.size_limit;
    const uint32_t before = settings_.flags, block_size = settings_.block_size;
    settings_ = wanted;
    settings_.block_size = block_size;
    settings_.flags = (wanted.flags & kMaySet) | (before & ~kMayClear);
    if (moves) medium_.add(1);
    return measure();
}

Result<void> LoopDevice::look_at_size() {
    LockGuard guard(settings_lock_);
    return bound() ? measure() : Errno::nxio;
}

Result<void> LoopDevice::set_block_size(uint32_t bytes) {
    LockGuard guard(settings_lock_);
    if (!bound()) return Errno::nxio;
    if (!is_block_size(bytes)) return Errno::inval;
    settings_.block_size = bytes;
    return measure();
}

// There is no way past the cache of the file.
Result<void> LoopDevice::set_direct(bool wanted) {
    LockGuard guard(settings_lock_);
    if (!bound()) return Errno::nxio;
    return wanted ? Errno::inval : Result<void>();
}

LoopSettings LoopDevice::settings(Ref<File>& file) {
    LockGuard guard(settings_lock_);
    file = bound();
    return settings_;
}

Result<void> LoopDevice::remove() {
    LockGuard guard(settings_lock_);
    if (users_ || bound()) return Errno::busy;
    listed_.store_relaxed(false);
    return {};
}

// See file_room.hpp.
#include "tests/host/support/file_room.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <fstream>

#include "fs/fs.hpp"
#include "fs/journal/journal.hpp"
#include "fs/mount.hpp"
#include "fs/page_hash.hpp"
#include "fs/page_cache.hpp"
#include "fs/tmp/tmpfs.hpp"
#include "fs/write_back.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"
#include "mm/buddy.hpp"
#include "mm/frames.hpp"
#include "mm/reclaim.hpp"
#include "mm/shared_pages.hpp"

// The arena lies where the address sanitizer keeps an unused gap.
extern "C" const char* __asan_default_options();
const char* __asan_default_options() { return "protect_shadow_gap=0"; }

[[noreturn]] void verify_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "VERIFY(%s) at %s:%d\n", condition, file, line);
    std::abort();
}

std::vector<std::string> log_lines;
void log_line(LogLevel, std::string_view format, std::span<const FormatArgument> arguments) {
    char buffer[512];
    BufferSink sink(buffer);
    format_arguments(sink, format, arguments);
    log_lines.emplace_back(sink.view());
}

bool (*is_for_superuser)() = [] { return true; };
void trace_cache_miss(const PageCache&, uint32_t, uint32_t, uint32_t) {}
void trace_page_cache() {}
namespace journal {
void trace_begin(const BlockDevice&, uint32_t) {}
void trace_join(const BlockDevice&, uint32_t, uint32_t) {}
void trace_commit(const BlockDevice&, uint32_t, uint32_t, uint32_t) {}
void trace_checkpoint(const BlockDevice&, uint32_t, uint32_t) {}
void trace_revoke(const BlockDevice&, uint32_t, uint32_t) {}
void trace_write(const BlockDevice&, Sector, uint32_t, Part) {}
void trace_init() {}
}  // namespace journal

// --- One thread: nobody to wait for.
void WaitQueue::wake_all() {}
bool WaitQueue::wake_one() { return false; }
void WaitQueue::add(Waiter&, bool) { std::abort(); }
void WaitQueue::remove(Waiter&) { std::abort(); }
Woken WaitQueue::park(const WaitOptions&) { std::abort(); }
void Mutex::lock_slowly() { std::abort(); }
Nanoseconds realtime_now() {
    static uint64_t now = 1'700'000'000'000'000'000;
    return Nanoseconds(now += 1'000'000);
}

// --- No user memory.
uint32_t copy_from_user_partly(void*, VirtAddr, uint32_t) { return 0; }
uint32_t copy_to_user_partly(VirtAddr, const void*, uint32_t) { return 0; }
Result<void> copy_to_user(VirtAddr, const void*, uint32_t) { return Errno::fault; }
Result<void> copy_from_user(void*, VirtAddr, uint32_t) { return Errno::fault; }

// --- Frames.
namespace {
constexpr uint32_t kFirstFrame = 0x1000, kFrames = 8192;  // 16 MiB on, 32 MiB of it
Buddy<FrameInfo, kMaxOrder + 1> buddy;
Reclaimer* reclaimers = nullptr;
uint32_t reclaim() {
    uint32_t freed = 0;
    for (Reclaimer* r = reclaimers; r; r = r->next) freed += r->reclaim(64);
    return freed;
}
}  // namespace

FrameInfo* frame_table = nullptr;
uint32_t frame_table_size = kFirstFrame + kFrames;

Result<Frame> allocate_frames(uint32_t order, Zone) {
    std::optional<uint32_t> index = buddy.allocate(order);
    if (!index) return Errno::nomem;
    frame_table[*index].references = 1;
    memset(to_virtual(Frame(*index)), 0xa5, kPageSize << order);
    return Frame(*index);
}
void free_last_reference(Frame frame) { buddy.free(frame.raw(), frame_info(frame).order); }
Result<Frame> allocate_frame(Zone zone) {
    Result<Frame> frame = allocate_frames(0, zone);
    if (frame.is_ok() || !reclaim()) return frame;
    return allocate_frames(0, zone);
}
MemoryTotals memory_totals() { return {kFrames, buddy.free_units(), kFrames, buddy.free_units()}; }
void add_reclaimer(Reclaimer& reclaimer) { reclaimer.next = std::exchange(reclaimers, &reclaimer); }

void start_file_room() {
    if (frame_table) return;
    frame_table = new FrameInfo[frame_table_size]{};
    void* wanted = to_virtual(Frame(kFirstFrame));
    void* got = mmap(wanted, kFrames * kPageSize, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (got != wanted) std::abort();
    buddy.init(frame_table, kFirstFrame, frame_table_size);
    buddy.add(kFirstFrame, frame_table_size);
    fs_init();
    tmpfs_init();
}

// --- Disks.
Result<void> ImageDisk::read(Sector first, uint32_t count, void* to) {
    ++requests;
    if (first.raw() + count > sectors()) return Errno::io;
    for (uint64_t bad : bad_sectors)
        if (bad >= first.raw() && bad < first.raw() + count) return Errno::io;
    memcpy(to, bytes.data() + first.raw() * kSectorSize, size_t{count} * kSectorSize);
    return {};
}

Result<void> ImageDisk::write(Sector first, uint32_t count, const void* from) {
    ++requests;
    ++writes;
    if (first.raw() + count > sectors()) return Errno::io;
    for (uint64_t bad : unwritable_sectors)
        if (bad >= first.raw() && bad < first.raw() + count) return Errno::io;
    if (writes_left == 0) return {};
    --writes_left;
    const auto* data = static_cast<const uint8_t*>(from);
    if (log) log->push_back({first.raw(), {data, data + size_t{count} * kSectorSize}});
    memcpy(bytes.data() + first.raw() * kSectorSize, from, size_t{count} * kSectorSize);
    return {};
}
Result<void> ImageDisk::flush() { return {}; }

ImageDisk& make_disk(std::vector<uint8_t> bytes) {
    start_file_room();
    static uint32_t made = 0;
    const uint32_t number = made++;
    auto* disk = new ImageDisk("d" + std::to_string(number), number, std::move(bytes));
    register_block_device(*disk);
    return *disk;
}

// In one piece: byte by byte it took most of these tests' time, under the sanitizers.
std::vector<uint8_t> read_host_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    std::vector<uint8_t> bytes(in ? static_cast<size_t>(in.tellg()) : 0);
    in.seekg(0).read(reinterpret_cast<char*>(bytes.data()),
                     static_cast<std::streamsize>(bytes.size()));
    return bytes;
}

std::vector<uint8_t> make_image(const std::string& options, uint64_t kib, const char* changes) {
    HostFolder folder;
    const std::string image = folder.path / "image";
    const std::string type = options.find("-t ") == options.npos ? "-t ext2 " : "";
    const std::string command = "PATH=$PATH:/usr/sbin:/sbin; mke2fs -q -F " + type + options + " " +
                                image + " " + std::to_string(kib) + "k >/dev/null";
    if (std::system(command.c_str()) != 0) ADD_FAILURE() << command;
    if (*changes) {
        std::ofstream(folder.path / "changes") << changes;
        const std::string edit = "PATH=$PATH:/usr/sbin:/sbin; debugfs -w -f " +
                                 (folder.path / "changes").string() + " " + image +
                                 " >/dev/null 2>&1";
        if (std::system(edit.c_str()) != 0) ADD_FAILURE() << edit;
    }
    return read_host_file(image);
}

HostFolder::HostFolder() {
    std::string name = std::filesystem::temp_directory_path() / "orrery-test-XXXXXX";
    path = mkdtemp(name.data());
}
HostFolder::~HostFolder() { std::filesystem::remove_all(path); }

// --- Views.
View View::of_disk(const ImageDisk& disk) {
    View view;
    Result<Path> root = mount_root(disk.name(), true);
    if (root.is_error()) {
        ADD_FAILURE() << mount_refusals();
        return view;
    }
    view.root = view.cwd = root.value();
    return view;
}

View View::of_tmpfs() {
    static View base = [] {
        HostFolder folder;
        std::filesystem::create_directory(folder.path / "mnt");
        return of_disk(make_disk(make_image("-d " + folder.path.string(), 256)));
    }();
    View view = base;
    EXPECT_TRUE(vfs_mount(view, "none", "/mnt", "tmpfs", 0, "mode=755").is_ok());
    view.root = view.cwd = view.at("/mnt").release_value();
    view.umask = 022;
    return view;
}

Errno View::error_of(std::string_view name, Follow follow) const { return error(at(name, follow)); }

std::string View::name_of(const Path& path) const {
    char buffer[kMaxPath];
    Result<std::string_view> name = path_name(*this, path, buffer);
    return name.is_ok() ? std::string(name.value()) : "?";
}

std::string View::read(std::string_view name) const {
    Result<Ref<File>> file = open(name);
    if (file.is_error()) return "?" + std::to_string(static_cast<int>(file.error()));
    std::string text;
    for (;;) {
        uint8_t buffer[10000];
        KernelSink sink(buffer);
        Result<uint32_t> done = file.value()->read(sink);
        if (done.is_error()) return "?" + std::to_string(static_cast<int>(done.error()));
        if (done.value() == 0) return text;
        text.append(reinterpret_cast<char*>(buffer), done.value());
    }
}

Errno View::write(std::string_view name, std::string_view text, uint32_t flags) const {
    Result<Ref<File>> file = open(name, flags | kOpenWriteOnly, 0666);
    if (file.is_error()) return file.error();
    KernelSource source({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    return error(file.value()->write(source));
}

std::vector<std::string> View::list(std::string_view name) const {
    struct Names final : DirectorySink {
        bool add(std::string_view name, InodeNo, uint32_t, uint64_t) override {
            if (room-- == 0) return false;
            names.emplace_back(name);
            return true;
        }
        std::vector<std::string> names;
        int room = 0;
    } names;
    Result<Ref<File>> file = open(name, kOpenDirectory);
    if (file.is_error()) return {"?" + std::to_string(static_cast<int>(file.error()))};
    for (size_t before = SIZE_MAX; before != names.names.size();) {
        before = names.names.size();
        names.room = 3;  // in several calls, as getdents does
        Result<void> done = file.value()->list(names);
        if (done.is_error()) return {"?" + std::to_string(static_cast<int>(done.error()))};
    }
    std::sort(names.names.begin(), names.names.end());
    return names.names;
}

void View::become(uint32_t uid, uint32_t gid) {
    credentials.uid = credentials.euid = credentials.suid = credentials.fsuid = uid;
    credentials.gid = credentials.egid = credentials.sgid = credentials.fsgid = gid;
    credentials.capabilities = {};
    if (uid) credentials.capabilities.users_changed(true, false, true, false);
}

// What the write-back thread does is done by hand here.
void write_back_balance() {
    if (page_cache_totals().dirty > kFrames / 5) write_back_pages(256, Nanoseconds(UINT64_MAX));
}
Nanoseconds write_back_clock() { return Nanoseconds(0); }

// Nobody maps anything here.
void protect_pages_of(const Pager&, uint32_t, uint32_t) {}
void unmap_pages_of(const Pager&, uint32_t) {}
void unmap_shared_pages_of(const Pager&, uint32_t, uint32_t) {}

// Nobody takes pages back in a test.
void install_file_reclaimer(const SleepingReclaimer&) {}
bool unmap_page_of(const Pager&, uint32_t, Frame, bool) { return false; }
bool wait_for_memory() { return false; }

// --- No swap.
Atomic<bool> swap_active = false;
void add_shared_pages(SharedPages&) {}
void remove_shared_pages(SharedPages&) {}
void track_shared(Frame, SharedPages&, uint32_t) {}
void forget_shared(Frame) {}
void note_shared_write(Frame) { std::abort(); }
bool swap_find(SwapEntry, Frame&) { std::abort(); }
Result<Frame> swap_bring_in(SwapEntry) { std::abort(); }
void swap_add_name(SwapEntry) { std::abort(); }
bool is_swap_area(const BlockDevice&) { return false; }
void swap_drop_name(SwapEntry) { std::abort(); }

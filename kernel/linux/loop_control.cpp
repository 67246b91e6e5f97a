// The calls of loop devices: ioctl(2) on /dev/loopN and /dev/loop-control, and what /sys/block/loopN/loop
// shows. Eight devices are there from the start; others are made when asked for, and stay.
// Locks: `making` for the table of devices, which only grows; see loop_device.hpp.
// Spec: loop(4); linux/loop.h.
#include <algorithm>

#include "fs/dev/devfs.hpp"
#include "fs/devices.hpp"
#include "kernel/lib/start_up.hpp"
#include "kernel/linux/loop_device.hpp"
#include "kernel/linux/sysfs.hpp"
#include "kernel/syscall/arguments.hpp"

namespace {

enum Request : uint32_t {
    kSetFile = 0x4C00,
    kClear,
    kSetStatus,
    kGetStatus,
    kSetStatus64,
    kGetStatus64,
    kChangeFile,
    kSetCapacity,
    kSetDirect,
    kSetBlockSize,
    kConfigure,
    kAdd = 0x4C80,
    kRemove,
    kGetFree,
};

struct Status64 {  // loop_info64
    uint64_t device, inode, special_device, offset, size_limit;
    uint32_t number, encrypt_type, key_size, flags;
    char file_name[64], crypt_name[64];
    uint8_t key[32];
    uint64_t init[2];
};
static_assert(sizeof(Status64) == 232);

struct Status {  // loop_info
    int32_t number;
    uint16_t device, pad;
    uint32_t inode;
    uint16_t special_device, pad2;
    int32_t offset, encrypt_type, key_size, flags;
    char file_name[64];
    uint8_t key[32];
    uint32_t init[2];
    char reserved[4];
};
static_assert(sizeof(Status) == 140);

struct Configuration {  // loop_config
    uint32_t fd, block_size;
    Status64 status;
    uint64_t reserved[8];
};
static_assert(sizeof(Configuration) == 304);

// No encryption here.
Result<LoopSettings> settings_of(const Status64& status) {
    if (status.key_size > sizeof status.key || status.encrypt_type) return Errno::inval;
    if (static_cast<int64_t>(status.offset) < 0 || static_cast<int64_t>(status.size_limit) < 0)
        return Errno::overflow;
    LoopSettings settings{
        .offset = status.offset, .size_limit = status.size_limit, .flags = status.flags};
    std::ranges::copy(status.file_name, settings.file_name);
    std::ranges::copy(status.crypt_name, settings.crypt_name);
    settings.file_name[sizeof settings.file_name - 1] = '\0';
    settings.crypt_name[sizeof settings.crypt_name - 1] = '\0';
    return settings;
}

Status64 widened(const Status& old) {
    Status64 status{};
    status.offset = static_cast<uint64_t>(int64_t{old.offset});
    status.encrypt_type = static_cast<uint32_t>(old.encrypt_type);
    status.key_size = static_cast<uint32_t>(old.key_size);
    status.flags = static_cast<uint32_t>(old.flags);
    std::ranges::copy(old.file_name, status.file_name);
    return status;
}

Result<Status64> status_of(LoopDevice& device) {
    Ref<File> file;
    const LoopSettings settings = device.settings(file);
    if (!file) return Errno::nxio;
    const Attributes attributes = TRY(file->attributes());
    Status64 status{};
    status.device = attributes.device;
    status.inode = attributes.inode.raw();
    status.special_device = attributes.special_device;
    status.offset = settings.offset;
    status.size_limit = settings.size_limit;
    status.number = device.number();
    status.flags = settings.flags;
    std::ranges::copy(settings.file_name, status.file_name);
    std::ranges::copy(settings.crypt_name, status.crypt_name);
    return status;
}

Result<void> get_status(LoopDevice& device, uint32_t to) {
    const Status64 status = TRY(status_of(device));
    if (status.offset > INT32_MAX) return Errno::overflow;
    Status old{};
    old.number = static_cast<int32_t>(status.number);
    old.device = static_cast<uint16_t>(status.device);
    old.inode = static_cast<uint32_t>(status.inode);
    old.special_device = static_cast<uint16_t>(status.special_device);
    old.offset = static_cast<int32_t>(status.offset);
    old.flags = static_cast<int32_t>(status.flags);
    std::ranges::copy(status.file_name, old.file_name);
    return write_user(UserPtr<Status>(to), old);
}

Result<Ref<File>> backing_file(uint32_t fd) {
    Ref<File> file = TRY(file_of(static_cast<int>(fd)));
    return file->flags() & kOpenPath ? Errno::badf : Result(file);
}

Result<void> configure(LoopDevice& device, const Configuration& wanted, bool may_write) {
    constexpr uint32_t kFlags = kLoopReadOnly | kLoopAutoClear | kLoopScanParts | kLoopDirect;
    Ref<File> file = TRY(backing_file(wanted.fd));
    if (wanted.status.flags & ~kFlags) return Errno::inval;
    if (wanted.block_size && !is_block_size(wanted.block_size)) return Errno::inval;
    LoopSettings settings = TRY(settings_of(wanted.status));
    settings.flags &= ~kLoopDirect;
    if (!may_write) settings.flags |= kLoopReadOnly;
    if (wanted.block_size) settings.block_size = wanted.block_size;
    return device.bind(std::move(file), settings);
}

Result<void> perform(LoopDevice& device, uint32_t request, uint32_t argument, bool may_write) {
    const bool may_change = may_write || context().credentials.may(Capability::sys_admin);
    switch (request) {
        case kSetFile: {
            Configuration plain{};
            plain.fd = argument;
            return configure(device, plain, may_write);
        }
        case kConfigure:
            return configure(device, TRY(read_user(UserPtr<const Configuration>(argument))),
                             may_write);
        case kClear: return device.clear();
        case kChangeFile: return device.change_file(TRY(backing_file(argument)));
        case kGetStatus: return get_status(device, argument);
        case kGetStatus64: return write_user(UserPtr<Status64>(argument), TRY(status_of(device)));
        default: break;
    }
    if (request > kConfigure || request < kSetFile) return Errno::inval;
    if (!may_change) return Errno::perm;
    switch (request) {
        case kSetStatus: {
            const Status old = TRY(read_user(UserPtr<const Status>(argument)));
            return device.change_settings(TRY(settings_of(widened(old))));
        }
        case kSetStatus64: {
            const Status64 status = TRY(read_user(UserPtr<const Status64>(argument)));
            return device.change_settings(TRY(settings_of(status)));
        }
        case kSetDirect: return device.set_direct(argument != 0);
        case kSetBlockSize: return device.set_block_size(argument);
        default: return device.look_at_size();
    }
}

// --- which devices there are

constinit Mutex making{LockRank::socket_collector};
constinit LoopDevice* devices[kMostLoopDevices] GUARDED_BY(making) = {};

Result<LoopDevice*> make(uint32_t number) REQUIRES(making) {
    char name[16];
    Box<LoopDevice> made = TRY(make_box<LoopDevice>(format_in(name, "loop{}", number), number));
    LoopDevice& device = *made.leak();
    register_block_device(device);
    devfs_add(device.name(), kTypeBlock | 0660, device.device_number());
    return devices[number] = &device;
}

// -1: the first number that is not taken.
Result<int32_t> add(int32_t wanted) {
    LockGuard guard(making);
    const uint32_t first = wanted < 0 ? 0 : static_cast<uint32_t>(wanted);
    for (uint32_t number = first; number < kMostLoopDevices; ++number) {
        LoopDevice* device = devices[number];
        if (device && device->listed()) {
            if (wanted >= 0) return Errno::exist;
            continue;
        }
        if (!device) device = TRY(make(number));
        TRY(device->prepare());
        return static_cast<int32_t>(number);
    }
    return Errno::nospc;
}

Result<int32_t> remove(int32_t number) {
    LockGuard guard(making);
    if (number < 0) return Errno::inval;
    const auto index = static_cast<uint32_t>(number);
    LoopDevice* device = index < kMostLoopDevices ? devices[index] : nullptr;
    if (!device || !device->listed()) return Errno::nodev;
    TRY(device->remove());
    return number;
}

Result<int32_t> find_free() {
    {
        LockGuard guard(making);
        for (LoopDevice* device : devices) {
            Ref<File> file;
            if (!device || !device->listed()) continue;
            device->settings(file);
            if (!file) return static_cast<int32_t>(device->number());
        }
    }
    return add(-1);
}

class ControlFile final : public DeviceFile {
  public:
    using DeviceFile::DeviceFile;
    Result<int32_t> ioctl(uint32_t request, uint32_t argument) override {
        switch (request) {
            case kAdd: return add(static_cast<int32_t>(argument));
            case kRemove: return remove(static_cast<int32_t>(argument));
            case kGetFree: return find_free();
            default: return Errno::nosys;
        }
    }
};

constexpr uint32_t kMiscMajor = 10, kControlMinor = 237, kAtFirst = 8;
constinit CharacterDevice control_device{
    .major = kMiscMajor,
    .first_minor = kControlMinor,
    .open = [](Inode& node, uint32_t, uint32_t flags) -> Result<Ref<File>> {
        return Ref<File>(TRY(make_ref<ControlFile>(flags, node)));
    }};

void loop_init() {
    register_character_device(control_device);
    devfs_add("loop-control", kTypeCharacter | 0660, device_number(kMiscMajor, kControlMinor));
    for (uint32_t i = 0; i < kAtFirst; ++i)
        if (add(-1).is_error()) return;
}
AT_START_UP(loop_init);

// --- /sys/block/loopN/loop, while it has a file

bool is_bound(const ProcTarget& target) {
    LoopDevice* device = as_loop_device(*sys_disk_of(target));
    Ref<File> file;
    if (device) device->settings(file);
    return file != nullptr;
}

template <auto number>  // uint64_t (const LoopSettings&)
Result<void> show_setting(TextSink& to, const ProcTarget& target) {
    Ref<File> file;
    format_to(to, "{}\n", uint64_t{number(as_loop_device(*sys_disk_of(target))->settings(file))});
    return {};
}

Result<void> show_file(TextSink& to, const ProcTarget& target) {
    Ref<File> file;
    as_loop_device(*sys_disk_of(target))->settings(file);
    if (!file || !file->path()) return {};
    struct Text {
        char bytes[kMaxPath];
    };
    Box<Text> text = TRY(make_box<Text>());
    format_to(to, "{}\n", TRY(path_name(context(), file->path(), text->bytes)));
    return {};
}

template <uint32_t flag>
constexpr auto kShowFlag = show_setting<[](const LoopSettings& s) { return s.flags / flag & 1; }>;

constexpr ProcEntry kSettings[] = {
    {.name = "autoclear", .generate = kShowFlag<kLoopAutoClear>},
    {.name = "backing_file", .generate = show_file, .rendered_by_open = true},
    {.name = "dio", .generate = kShowFlag<kLoopDirect>},
    {.name = "offset",
     .generate = show_setting<[](const LoopSettings& settings) { return settings.offset; }>},
    {.name = "partscan", .generate = kShowFlag<kLoopScanParts>},
    {.name = "sizelimit",
     .generate = show_setting<[](const LoopSettings& settings) { return settings.size_limit; }>},
};
constexpr ProcEntry kLoopFiles[] = {{.name = "loop", .exists = is_bound, .children = kSettings}};
PROC_FILES(sys_disk, kLoopFiles);

}  // namespace

Result<int32_t> LoopDevice::control(uint32_t request, uint32_t argument, bool may_write) {
    TRY(perform(*this, request, argument, may_write));
    return 0;
}

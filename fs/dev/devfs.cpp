// See devfs.hpp. One instance, made at start-up, for all its mounts.
// Locks: attributes of a node: its own (rank inode_cache); names never change.
#include "fs/dev/devfs.hpp"

#include "drivers/block.hpp"
#include "drivers/host_link.hpp"
#include "drivers/tty.hpp"
#include "fs/dev/device_files.hpp"
#include "fs/mount.hpp"
#include "fs/timestamp.hpp"

namespace {

class DevNode final : public Inode {
  public:
    // `target`: of a symbolic link. Strings must live forever.
    DevNode(FileSystem& fs, uint32_t number, std::string_view name, uint32_t mode,
            uint32_t special_device, std::string_view target)
        : Inode(fs), name_(name), target_(target) {
        attributes_.mode = mode;
        attributes_.inode = InodeNo(number);
        attributes_.device = fs.device_number();
        attributes_.special_device = special_device;
        attributes_.size = target.size();
        attributes_.links = attributes_.is_directory() ? 2 : 1;
        attributes_.accessed = attributes_.modified = attributes_.changed = timestamp_now();
    }
    void add(DevNode& child) { children_.push_back(child); }

    Attributes attributes() override {
        LockGuard guard(lock_);
        return attributes_;
    }
    Result<void> set_attributes(const SetAttributes& changes) override;
    Result<Ref<File>> open(uint32_t flags) override {
        return TRY(make_ref<DirectoryFile>(flags, *this));
    }
    Result<Ref<Inode>> lookup_child(std::string_view name) override;
    Result<uint64_t> list(DirectorySink& sink, uint64_t offset) override;
    Result<uint32_t> read_link(std::span<char> buffer) override {
        return static_cast<uint32_t>(target_.copy(buffer.data(), buffer.size()));
    }

  private:
    const std::string_view name_, target_;
    ListNode sibling_;
    List<DevNode, &DevNode::sibling_> children_;
    SpinLock lock_{LockRank::inode_records};
    Attributes attributes_ GUARDED_BY(lock_);
};

Result<void> DevNode::set_attributes(const SetAttributes& changes) {
    const Timestamp now = timestamp_now();
    LockGuard guard(lock_);
    changes.apply(attributes_, now);
    return {};
}

Result<Ref<Inode>> DevNode::lookup_child(std::string_view name) {
    for (DevNode& child : children_)
        if (child.name_ == name) return Ref<Inode>(child);
    return Errno::noent;
}

// Offsets: 0 ".", 1 "..", 2 the first child.
Result<uint64_t> DevNode::list(DirectorySink& sink, uint64_t offset) {
    uint64_t position = 0;
    auto add = [&](std::string_view name, const Attributes& a) {
        if (position++ < offset) return true;
        if (!sink.add(name, a.inode, a.mode >> 12, position)) return false;
        offset = position;
        return true;
    };
    if (!add(".", attributes()) || !add("..", attributes())) return offset;
    for (DevNode& child : children_)
        if (!add(child.name_, child.attributes())) break;
    return offset;
}

class DevFileSystem final : public FileSystem {
  public:
    DevFileSystem() : device_(new_anonymous_device()) {
        root_ = add(nullptr, {}, kTypeDirectory | 0755, 0);
    }
    DevNode* add(DevNode* parent, std::string_view name, uint32_t mode, uint32_t special_device,
                 std::string_view target = {}) {
        auto* node =
            new (std::nothrow) DevNode(*this, ++last_number_, name, mode, special_device, target);
        VERIFY(node);  // at start-up there is memory
        if (parent) parent->add(*node);
        return node;
    }
    DevNode* top() { return root_; }

    std::string_view type_name() const override { return "devfs"; }
    Ref<Inode> root() override { return Ref<Inode>(root_); }
    FileSystemStatistics statistics() override { return {.type = 0x01021994}; }
    uint32_t device_number() const override { return device_; }

  private:
    const uint32_t device_;
    uint32_t last_number_ = 0;
    DevNode* root_;
};

struct Name {
    std::string_view name;
    uint32_t mode, device;
    std::string_view target{};
};
constexpr uint32_t kLink = kTypeSymlink | 0777;
constexpr Name kNames[] = {
    {"null", kTypeCharacter | 0666, device_number(kMemoryMajor, 3)},
    {"zero", kTypeCharacter | 0666, device_number(kMemoryMajor, 5)},
    {"full", kTypeCharacter | 0666, device_number(kMemoryMajor, 7)},
    {"random", kTypeCharacter | 0666, device_number(kMemoryMajor, 8)},
    {"urandom", kTypeCharacter | 0666, device_number(kMemoryMajor, 9)},
    {"kmsg", kTypeCharacter | 0644, device_number(kMemoryMajor, 11)},
    {"resources", kTypeCharacter | 0666, device_number(kResourceMajor, 0)},
    {"tty", kTypeCharacter | 0666, device_number(kOwnTerminalMajor, 0)},
    {"fd", kLink, 0, "/proc/self/fd"},
    {"stdin", kLink, 0, "/proc/self/fd/0"},
    {"stdout", kLink, 0, "/proc/self/fd/1"},
    {"stderr", kLink, 0, "/proc/self/fd/2"},
    {"shm", kTypeDirectory | 01777, 0},     // for a tmpfs
    {"mqueue", kTypeDirectory | 01777, 0},  // for the file system of that name
};
constexpr Name kHostNames[] = {
    {"hostin", kTypeCharacter | 0666, device_number(kHostMajor, host_input)},
    {"hostout", kTypeCharacter | 0666, device_number(kHostMajor, host_output)},
    {"hosterr", kTypeCharacter | 0666, device_number(kHostMajor, host_error)},
    {"hoststatus", kTypeCharacter | 0200, device_number(kHostMajor, host_status)},
};

constinit DevFileSystem* instance = nullptr;

Result<Ref<FileSystem>> mount_devfs(std::string_view, uint32_t, std::string_view) {
    return Ref<FileSystem>(instance);
}

constinit FileSystemType devfs_type{"devfs", false, mount_devfs};

}  // namespace

void devfs_add(std::string_view name, uint32_t mode, uint32_t special_device) {
    instance->add(instance->top(), name, mode, special_device);
    forget_dentries(*instance);  // that there is none of that name
}

void devfs_init() {
    memory_devices_init();
    terminal_devices_init();
    host_devices_init();
    instance = new (std::nothrow) DevFileSystem;
    VERIFY(instance);
    auto add = [](const Name& n) {
        instance->add(instance->top(), n.name, n.mode, n.device, n.target);
    };
    std::ranges::for_each(kNames, add);
    for (Tty* tty : terminals()) add({tty->name(), kTypeCharacter | 0600, tty->device_number()});
    if (host_link_present()) std::ranges::for_each(kHostNames, add);
    for (BlockDevice& disk : block_devices())
        instance->add(instance->top(), disk.name(), kTypeBlock | 0660, disk.device_number());
    register_file_system(devfs_type);
}

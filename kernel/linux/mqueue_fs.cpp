// The file system "mqueue": one directory in which every POSIX message queue is a file, to be listed,
// read (what it is like), given other owners and permissions, and removed. Each mount shows the same.
// Locks: those of the table of queues (posix_queue.hpp).
// Spec: mq_overview(7), "Mounting the message queue filesystem".
#include "kernel/lib/start_up.hpp"
#include "fs/cached_file.hpp"
#include "fs/mount.hpp"
#include "kernel/linux/posix_queue.hpp"

namespace {

constexpr uint32_t kTopNumber = 1;  // a queue's is its own and one more

class QueueNode final : public Inode {
  public:
    QueueNode(FileSystem& fs, Ref<PosixQueue> queue) : Inode(fs), queue_(std::move(queue)) {}
    Attributes attributes() override {
        Attributes a = attributes_of(*queue_);
        a.device = file_system().device_number();
        a.inode = InodeNo(queue_->number + kTopNumber);
        return a;
    }
    Result<Ref<File>> open(uint32_t flags) override {
        flags &= kOpenAccessMode | kOpenNonBlock;
        return Ref<File>(TRY(make_ref<PosixQueueFile>(flags, queue_)));
    }
    Result<void> set_attributes(const SetAttributes& changes) override {
        change_posix_queue(*queue_, changes);
        return {};
    }
    Result<void> truncate(uint64_t) override { return {}; }

  private:
    const Ref<PosixQueue> queue_;
};

class QueueDirectory final : public Inode {
  public:
    explicit QueueDirectory(FileSystem& fs) : Inode(fs) {
        attributes_.mode = kTypeDirectory | kModeSticky | 0777;
        attributes_.links = 2;
        attributes_.device = fs.device_number();
        attributes_.inode = InodeNo(kTopNumber);
        attributes_.accessed = attributes_.modified = attributes_.changed = timestamp_now();
    }
    Attributes attributes() override { return attributes_; }
    Result<Ref<File>> open(uint32_t flags) override {
        return Ref<File>(TRY(make_ref<DirectoryFile>(flags, *this)));
    }
    bool names_cachable() const override { return false; }
    Result<Ref<Inode>> lookup_child(std::string_view name) override {
        Ref<PosixQueue> queue = find_posix_queue(name);
        if (!queue) return Errno::noent;
        return node_of(std::move(queue));
    }
    Result<Ref<Inode>> create_child(std::string_view name, uint32_t mode, const Credentials& owner,
                                    uint32_t) override {
        constexpr uint32_t kUsualLimit = 819200;  // RLIMIT_MSGQUEUE's default
        if ((mode & kTypeMask) != kTypeRegular) return Errno::perm;
        return node_of(
            TRY(make_posix_queue(owner, {.name = name, .mode = mode, .user_limit = kUsualLimit})));
    }
    Result<void> remove_child(std::string_view name, Inode&, bool) override {
        return remove_posix_queue(name);
    }
    // Offsets: 0 ".", 1 "..", and from 2 on the numbers of the queues, which grow.
    Result<uint64_t> list(DirectorySink& sink, uint64_t offset) override {
        constexpr uint32_t kDirectory = kTypeDirectory >> 12, kFile = kTypeRegular >> 12;
        for (; offset < 2; ++offset)
            if (!sink.add(offset ? ".." : ".", InodeNo(kTopNumber), kDirectory, offset + 1))
                return offset;
        while (offset - 2 <= UINT32_MAX) {
            Ref<PosixQueue> queue = next_posix_queue(static_cast<uint32_t>(offset - 2));
            if (!queue) break;
            const uint64_t after = 3 + static_cast<uint64_t>(queue->number);
            if (!sink.add(queue->name(), InodeNo(queue->number + kTopNumber), kFile, after)) break;
            offset = after;
        }
        return offset;
    }

  private:
    Result<Ref<Inode>> node_of(Ref<PosixQueue> queue) {
        return Ref<Inode>(TRY(make_ref<QueueNode>(file_system(), std::move(queue))));
    }
    Attributes attributes_;
};

class QueueFileSystem final : public FileSystem {
  public:
    std::string_view type_name() const override { return "mqueue"; }
    Ref<Inode> root() override { return root_; }
    FileSystemStatistics statistics() override { return {.type = 0x19800202}; }
    uint32_t device_number() const override { return device_; }

    static Result<Ref<FileSystem>> mount(std::string_view, uint32_t, std::string_view) {
        Ref<QueueFileSystem> fs = TRY(make_ref<QueueFileSystem>());
        fs->root_ = TRY(make_ref<QueueDirectory>(*fs));
        return Ref<FileSystem>(std::move(fs));
    }

  private:
    const uint32_t device_ = new_anonymous_device();
    Ref<QueueDirectory> root_;
};

constinit FileSystemType mqueue_type{
    .name = "mqueue", .needs_device = false, .mount = QueueFileSystem::mount, .may_be_root = false};

void mqueue_fs_init() { register_file_system(mqueue_type); }
AT_START_UP(mqueue_fs_init);

}  // namespace

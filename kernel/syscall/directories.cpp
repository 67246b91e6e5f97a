// Reading directories: one record a name, packed into the program's buffer.
// Spec: getdents(2): struct linux_dirent, struct linux_dirent64.
#include "kernel/syscall/system_call.hpp"

namespace {

#pragma pack(push, 1)
struct DirentHead {
    uint32_t inode;
    uint32_t next;
    uint16_t length;  // of the record: head, name, NUL, padding, and the type in its last byte
};
struct Dirent64Head {
    uint64_t inode;
    int64_t next;
    uint16_t length;
    uint8_t type;
};
#pragma pack(pop)
static_assert(sizeof(DirentHead) == 10 && sizeof(Dirent64Head) == 19);

template <typename Head>
class UserDirents final : public DirectorySink {
  public:
    explicit UserDirents(UserRange to) : at_(to.start), left_(to.bytes) {}

    bool add(std::string_view name, InodeNo inode, uint32_t type, uint64_t next) override {
        constexpr bool kOld = sizeof(Head) == sizeof(DirentHead);
        uint32_t length =
            align_up(static_cast<uint32_t>(sizeof(Head) + name.size() + 1 + kOld), kOld ? 4u : 8u);
        char record[sizeof(Head) + kMaxName + 16] = {};
        if (length > sizeof record || length > left_) {
            failure_ = Errno::inval;
            return false;
        }
        Head head{};
        head.inode = inode.raw();
        head.next = static_cast<decltype(head.next)>(next);
        head.length = static_cast<uint16_t>(length);
        if constexpr (kOld)
            record[length - 1] = static_cast<char>(type);
        else
            head.type = static_cast<uint8_t>(type);
        __builtin_memcpy(record, &head, sizeof head);
        __builtin_memcpy(record + sizeof head, name.data(), name.size());
        if (copy_to_user(at_, record, length).is_error()) {
            failure_ = Errno::fault;
            return false;
        }
        at_ += length;
        left_ -= length;
        written_ += length;
        return true;
    }

    // Why nothing was written counts only if nothing was.
    Result<uint32_t> outcome() const {
        if (!written_ && failure_ != Errno{}) return failure_;
        return written_;
    }

  private:
    VirtAddr at_;
    uint32_t left_, written_ = 0;
    Errno failure_{};
};

template <typename Head>
Result<uint32_t> list(int fd, UserPtr<void> to, uint32_t bytes) {
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    UserDirents<Head> sink(TRY(user_range(to, bytes)));
    TRY(file->list(sink));
    return sink.outcome();
}

}  // namespace

Result<uint32_t> sys_getdents(int fd, UserPtr<void> to, uint32_t bytes) {
    return list<DirentHead>(fd, to, bytes);
}
Result<uint32_t> sys_getdents64(int fd, UserPtr<void> to, uint32_t bytes) {
    return list<Dirent64Head>(fd, to, bytes);
}

constexpr SystemCall kDirectoriesCalls[] = {
    CALL(141, getdents, sys_getdents),
    CALL(220, getdents64, sys_getdents64),
};
SYSTEM_CALLS_THAT_WAIT(kDirectoriesCalls);

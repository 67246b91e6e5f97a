// What the handlers have in common: getting names, ranges, vectors and open files from the numbers
// that a program passed. Everything here checks; nothing here acts.
// Locks: none held; user memory is copied, so all of it may sleep.
#pragma once

#include "fs/io_vector.hpp"
#include "kernel/proc/process.hpp"

// Names of files. Not a type of its own, but shorter.
using UserString = UserPtr<const char>;

// Spec: openat(2) and kin, Linux values. 0x200 is AT_EACCESS or AT_REMOVEDIR, as the call says.
constexpr int kAtWorkingDirectory = -100;
constexpr uint32_t kAtNoFollow = 0x100, kAtEffectiveAccess = 0x200, kAtRemoveDirectory = 0x200,
                   kAtFollow = 0x400, kAtNoAutomount = 0x800, kAtEmptyPath = 0x1000;

inline FsContext& context() { return current_process().fs; }
inline Result<Ref<File>> file_of(int fd) { return current_process().files->get(fd); }
Result<int> install(Ref<File> file, bool close_on_exec);
// The descriptor of what open(), a Result<Ref<File>>, gives; EMFILE comes before it has any effect.
template <typename F>
Result<int> install_opened(bool close_on_exec, F&& open) {
    const Ref<FdTable> files = current_process().files;
    const int fd = TRY(files->reserve(current_process().fd_limit()));
    Result<Ref<File>> file = open();
    files->fill(fd, file.is_ok() ? file.release_value() : nullptr, close_on_exec);
    return file.is_ok() ? Result<int>(fd) : file.error();
}

// A page for what is too large for the 8 KiB of a kernel stack.
struct PageBuffer {
    PageBuffer() {}  // leaves the bytes alone
    char bytes[kPageSize];
    std::span<char> span() { return bytes; }
    std::span<uint8_t> raw() { return {reinterpret_cast<uint8_t*>(bytes), sizeof bytes}; }
};
static_assert(kMaxPath <= kPageSize);

// Gives both a number, and tells the numbers; all or nothing.
struct PipeDescriptors {
    int read, write;
};
Result<void> install_pair(Ref<File> first, Ref<File> second, bool close_on_exec,
                          UserPtr<PipeDescriptors> to);

// The commands of fcntl(2) that descriptors.cpp does not know; installed at start-up.
extern Result<int> (*other_fcntl)(File& file, int fd, uint32_t command, uint32_t argument);
// The same for O_ASYNC of a file that one can poll: `fd` is what its signals name.
extern Result<void> (*set_asynchronous)(File& file, int fd, bool on);

// A string of a program: short ones lie on the stack.
class UserText {
  public:
    UserText() = default;
    UserText(const UserText&) = delete;                       // views point into it
    Result<std::string_view> copy(UserPtr<const char> from);  // EFAULT, ENAMETOOLONG

  private:
    char short_[160];
    Box<PageBuffer> long_;
};

enum class EmptyName : bool { refused, allowed };

// A name that a program passed, with the place where it starts.
class UserName {
  public:
    // ENOENT if it is empty; EBADF or ENOTDIR if it is relative and `directory` is no good.
    // Allowed empty names leave any kind of file as the base.
    Result<void> load(int directory, UserPtr<const char> name,
                      EmptyName empty = EmptyName::refused);
    const Path& base() const { return *base_; }
    std::string_view text() const { return text_; }
    // The place itself; an empty name is the base.
    Result<Path> resolve(Follow follow) const;

  private:
    UserText storage_;
    std::string_view text_;
    Ref<File> directory_;
    Path working_directory_;
    const Path* base_ = nullptr;
};

// The most that one call transfers, as on Linux.
constexpr uint32_t kMaxTransfer = 0x7ffff000;
// EFAULT unless all of it is in user space, EINVAL if `bytes` is negative as a ssize_t.
inline Result<UserRange> user_range(UserPtr<void> start, uint32_t bytes) {
    if (start.address() > kUserTop || bytes > kUserTop - start.address()) return Errno::fault;
    if (static_cast<int32_t>(bytes) < 0) return Errno::inval;
    return UserRange{start.address(), bytes < kMaxTransfer ? bytes : kMaxTransfer};
}

// RLIMIT_FSIZE: EFBIG, and SIGXFSZ, for a file that is to grow beyond it.
Result<void> check_new_size(uint64_t now, uint64_t wanted);

// Storage for `count` elements: on the stack up to N of them, else on the heap.
template <typename T, uint32_t N>
class SmallArray {
  public:
    SmallArray() = default;
    SmallArray(const SmallArray&) = delete;
    Result<void> resize(uint32_t count) {
        if (count > N) {
            TRY(heap_.resize(count));
            data_ = heap_.data();
        }
        size_ = count;
        return {};
    }
    uint32_t size() const { return size_; }
    T* data() { return data_; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }
    T& operator[](uint32_t i) { return data_[i]; }

  private:
    T inline_[N];
    T* data_ = inline_;
    uint32_t size_ = 0;
    Vector<T> heap_;
};

// A program's iovec, which UserRange is laid out like. Cut where more than kMaxTransfer is asked.
class RangeList {
  public:
    Result<void> load(UserPtr<const UserRange> from, uint32_t count);  // EINVAL, EFAULT, ENOMEM
    std::span<const UserRange> span() { return {ranges_.data(), ranges_.size()}; }

  private:
    SmallArray<UserRange, 8> ranges_;
};

// --- 16-bit user and group ids of the oldest calls: 0xffff stands for -1 ("leave it").
constexpr uint32_t long_id(uint16_t id) { return id == UINT16_MAX ? UINT32_MAX : id; }
constexpr uint16_t short_id(uint32_t id) {
    return id > UINT16_MAX ? 65534 : static_cast<uint16_t>(id);  // "overflowuid"
}

// The caller's address space, which is to grow; what grows may be locked (mlockall), within the limit
// of the thread that asks now.
AddressSpace& growing_space();

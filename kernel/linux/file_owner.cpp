// See file_owner.hpp. Spec: fcntl(2) F_SETOWN, F_SETOWN_EX, F_SETSIG and their counterparts.
#include "kernel/linux/file_owner.hpp"

#include "kernel/linux/fcntl.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/syscall/arguments.hpp"

constinit IrqSpinLock async_lock{LockRank::async_files};

namespace {

constexpr int kSigIo = 29;
using Setting = FileOwner::Setting;
using OwnerKind = FileOwner::Kind;

struct OwnedFile final : Attachment {
    static constexpr char kKind = 0;
    FileOwner owner;
};

// Which events each code stands for: POLLIN and kin.
constexpr uint32_t kBands[] = {0, 0x41, 0x304, 0x441, 0x8, 0x82, 0x18};

bool may_send(const Setting& from, const Process& to) {
    const Credentials& other = to.fs.credentials;
    return from.euid == 0 || from.euid == other.suid || from.euid == other.uid ||
           from.uid == other.suid || from.uid == other.uid;
}

SignalInfo news_of(const Setting& owner, int code, int fd) {
    SignalInfo info = signal_from_kernel(owner.signal ? owner.signal : kSigIo);
    if (!owner.signal) return info;
    info.code = code;
    info.fields[0] = kBands[code];
    info.fields[1] = static_cast<uint32_t>(fd);
    return info;
}

// A queue that is full leaves at least SIGIO.
template <typename T>
void send_to(T& to, const SignalInfo& info) REQUIRES(process_tree) {
    if (!send_signal(to, info)) send_signal(to, signal_from_kernel(kSigIo));
}

}  // namespace

Setting FileOwner::setting() const {
    LockGuard guard(async_lock);
    return setting_;
}

void FileOwner::set(Setting owner) {  // the old one is let go without the lock
    owner.uid = current_process().fs.credentials.uid;
    owner.euid = current_process().fs.credentials.euid;
    LockGuard guard(async_lock);
    owner.signal = setting_.signal;
    std::swap(setting_, owner);
}

void FileOwner::set_signal(int number) {
    LockGuard guard(async_lock);
    setting_.signal = number;
}

void FileOwner::send(int code, int fd) const {
    const Setting to = setting();
    const SignalInfo info = news_of(to, code, fd);
    LockGuard guard(process_tree);
    if (to.kind == OwnerKind::thread && find_thread_locked(to.thread->tid) == to.thread.get() &&
        may_send(to, *to.thread->owner))
        send_to(*to.thread, info);
    if (to.kind == OwnerKind::process && may_send(to, *to.process)) send_to(*to.process, info);
    if (to.kind != OwnerKind::group) return;
    for (Process& process : all_processes())
        if (process.pgid == to.group && may_send(to, process)) send_to(process, info);
}

Result<FileOwner*> owner_of(File& file) {
    return &TRY(file.attached.get_or_make<OwnedFile>())->owner;
}

void own_by_caller(FileOwner& owner) {
    if (!owner.owned()) owner.set({.kind = OwnerKind::process, .process = Ref(current_process())});
}

// --- as commands of fcntl

namespace {

struct OwnerArgument {  // struct f_owner_ex
    int32_t kind, id;
};

// Spec: 0 is a thread, 1 a process, 2 a group; an id of 0 is nobody. EINVAL, ESRCH.
Result<Setting> owner_named(const OwnerArgument& wanted) {
    if (wanted.kind < 0 || wanted.kind > 2) return Errno::inval;
    if (wanted.id == 0) return Setting{};
    Setting owner;
    owner.kind = static_cast<OwnerKind>(wanted.kind + 1);
    if (owner.kind == OwnerKind::group) {
        owner.group = wanted.id;
        LockGuard guard(process_tree);
        for (Process& process : all_processes())
            if (process.pgid == wanted.id) return owner;
        return Errno::srch;
    }
    owner.thread = find_thread(wanted.id);
    owner.process = owner.thread ? owner.thread->owner : find_process(wanted.id);
    const bool there = owner.kind == OwnerKind::thread ? owner.thread != nullptr : !!owner.process;
    return there ? Result(std::move(owner)) : Errno::srch;
}

OwnerArgument as_argument(const Setting& owner) {
    LockGuard guard(process_tree);
    switch (owner.kind) {
        case OwnerKind::none: return {1, 0};
        case OwnerKind::group: return {2, owner.group};
        case OwnerKind::thread: {
            const int tid = owner.thread->tid;
            return {0, find_thread_locked(tid) == owner.thread.get() ? tid : 0};
        }
        case OwnerKind::process: break;
    }
    const int pid = owner.process->pid;
    return {1, find_process_locked(pid) == owner.process.get() ? pid : 0};
}

}  // namespace

Result<int> owner_command(File& file, uint32_t command, uint32_t argument) {
    enum : uint32_t {
        set = 8,
        get = 9,
        set_signal = 10,
        get_signal = 11,
        set_any = 15,
        get_any = 16
    };
    FileOwner& owner = *TRY(owner_of(file));
    const auto number = static_cast<int32_t>(argument);
    switch (command) {
        case set:
            if (number == INT32_MIN) return Errno::inval;
            owner.set(TRY(owner_named({number < 0 ? 2 : 1, number < 0 ? -number : number})));
            return 0;
        case set_any:
            owner.set(TRY(owner_named(TRY(read_user(UserPtr<const OwnerArgument>(argument))))));
            return 0;
        case get: {
            const OwnerArgument now = as_argument(owner.setting());
            return now.kind == 2 ? -now.id : now.id;
        }
        case get_any:
            TRY(write_user(UserPtr<OwnerArgument>(argument), as_argument(owner.setting())));
            return 0;
        case set_signal:
            if (number < 0 || number > kSignals) return Errno::inval;
            owner.set_signal(number);
            return 0;
        case get_signal: return owner.setting().signal;
        default: return Errno::inval;
    }
}

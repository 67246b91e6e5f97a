// Names of sockets, and /proc/net/unix. See socket_names.hpp.
// Spec: unix(7); bind(2); proc(5).
#include "kernel/linux/socket_names.hpp"

#include "fs/proc/proc_entry.hpp"
#include "kernel/lib/format.hpp"

constinit SpinLock SocketNames::lock_{LockRank::socket_names};
constinit SocketNames::All SocketNames::all_;
constinit SocketNames::Bucket SocketNames::abstract_[kBuckets] = {};

void SocketNames::add(Socket& socket) {
    LockGuard guard(lock_);
    all_.push_back(socket);
}

void SocketNames::remove(Socket& socket) {
    LockGuard guard(lock_);
    all_.remove(socket);
}

SocketNames::Bucket& SocketNames::bucket_of(std::string_view name) {
    uint32_t hash = 2166136261u;  // FNV-1a
    for (char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
    return abstract_[hash % kBuckets];
}

// Locks: lock_ is held.
Socket* SocketNames::look_up(std::string_view name, SocketType type) NO_LOCK_ANALYSIS {
    for (Socket& socket : bucket_of(name))
        if (socket.type_ == type && socket.name_->address.view() == name) return &socket;
    return nullptr;
}

Ref<Socket> SocketNames::find(std::string_view abstract, SocketType type) {
    LockGuard guard(lock_);
    Socket* found = look_up(abstract, type);
    return found && found->try_add_ref() ? Ref<Socket>::adopt(found) : Ref<Socket>();
}

Ref<Socket> SocketNames::find(Inode& inode) {
    LockGuard guard(lock_);
    return Ref<Socket>(static_cast<Socket*>(inode.rendezvous.get()));
}

Result<void> SocketNames::give(Socket& socket, Ref<SocketName> name, Inode* inode) {
    LockGuard guard(lock_);
    const std::string_view text = name->address.view();
    if (!inode && look_up(text, socket.type_)) return Errno::addrinuse;
    {
        LockGuard state(socket.lock_);
        if (socket.name_) return Errno::inval;
        socket.name_ = std::move(name);
        socket.inode_ = Ref<Inode>(inode);
    }
    if (inode)
        inode->rendezvous = Ref<Socket>(socket);
    else
        bucket_of(text).push_back(socket);
    return {};
}

void SocketNames::forget(Socket& socket) {
    Ref<Inode> inode;
    Ref<RefCounted> self;  // given back outside the lock
    LockGuard guard(lock_);
    {
        LockGuard state(socket.lock_);
        inode = std::move(socket.inode_);
    }
    if (inode && inode->rendezvous.get() == &socket) self = std::move(inode->rendezvous);
    if (Bucket::contains(socket)) Bucket::remove(socket);
}

Ref<Socket> SocketNames::next(uint32_t number) {
    LockGuard guard(lock_);
    for (Socket& socket : all_)
        if (socket.number_ > number && socket.try_add_ref()) return Ref<Socket>::adopt(&socket);
    return {};
}

// --- /proc/net/unix

namespace {

void show(TextSink& to) {
    to.put("Num       RefCount Protocol Flags    Type St Inode Path\n");
    SocketNames::show_all(to);
}

}  // namespace

// Without the lock while one is shown: text may need memory.
void SocketNames::show_all(TextSink& to) {
    Ref<Socket> at = next(0);
    while (at) {
        at->show(to);
        at = next(at->number_);
    }
}

void Socket::show(TextSink& to) {
    const bool listens = state() == SocketState::listening;
    const uint32_t shown = listens ? 1 : state() == SocketState::connected ? 3 : 1;
    format_to(to, "{:08x}: {:08x} 00000000 {:08x} {:04x} {:02x} {:5}", 0u, ref_count() - 1,
              listens ? 0x10000u : 0u, static_cast<uint32_t>(type_), shown, number_);
    Ref<SocketName> named = name();
    if (named) {
        to.put(" ");
        SocketAddress address = named->address;
        if (!address.abstract()) --address.bytes;
        for (uint32_t i = 0; i < address.bytes; ++i)
            if (!address.text[i]) address.text[i] = '@';
        to.put(address.view());
    }
    to.put("\n");
}

namespace {
constexpr ProcEntry kSocketNamesFiles[] = {{.name = "unix", .show = show}};
constexpr ProcEntry kNetDirectory[] = {{.name = "net", .children = kSocketNamesFiles}};
PROC_FILES(proc_root, kNetDirectory);
}  // namespace

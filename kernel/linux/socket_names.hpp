// SocketNames: the list of all sockets, and which of them has which name. Abstract names are in a
// table here, each for one type of socket; a path's socket is where its inode says (rendezvous).
// Locks: one SpinLock (rank socket_names) for all of it; it gives out references, for nothing here
// keeps a socket alive.
#pragma once

#include "kernel/linux/socket.hpp"

class SocketNames {
  public:
    static void add(Socket& socket);
    static void remove(Socket& socket);  // from the list: it is destroyed
    static void forget(Socket& socket);  // its name: nobody finds it any more
    // Calls visit(socket) for all that are not being destroyed, under the lock.
    template <typename F>
    static void for_each(F&& visit) {
        LockGuard guard(lock_);
        for (Socket& socket : all_)
            if (socket.try_add_ref()) visit(socket);
    }

    static Ref<Socket> next(uint32_t number);  // the oldest with a larger one
    static Ref<Socket> find(Inode& inode);
    static Ref<Socket> find(std::string_view abstract, SocketType type);
    // EADDRINUSE for an abstract name of another; EINVAL for a second name of one socket.
    static Result<void> give(Socket& socket, Ref<SocketName> name, Inode* inode);
    static void show_all(TextSink& to);  // /proc/net/unix

  private:
    static constexpr uint32_t kBuckets = 64;
    using All = List<Socket, &Socket::all_node_>;
    using Bucket = List<Socket, &Socket::name_node_>;
    static Bucket& bucket_of(std::string_view name);
    static Socket* look_up(std::string_view name, SocketType type);

    static SpinLock lock_;
    static All all_;
    static Bucket abstract_[kBuckets];
};

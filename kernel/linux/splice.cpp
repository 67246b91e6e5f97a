// Between a pipe and another file, without a buffer of the program's: splice, tee, vmsplice. Bytes are copied, a
// page at a time; what was written is only then taken out of the pipe, so nothing is lost when the other side takes
// less. A second reader meanwhile may see the same bytes.
// Spec: splice(2), tee(2), vmsplice(2).
#include <algorithm>

#include "fs/io_vector.hpp"
#include "kernel/ipc/pipe_end.hpp"
#include "kernel/lib/preemption.hpp"
#include "kernel/syscall/file_io.hpp"

// A pipe as these calls use it: they wait for its first byte or for its first room, and go on without.
class PipeSplice {
  public:
    // How many bytes there are; 0: none, and no writer. EAGAIN, Errno::restart.
    static Result<uint32_t> await_bytes(Pipe& pipe, bool non_blocking) {
        LockGuard guard(pipe.lock_);
        if (pipe.ring_.empty() && pipe.writers_ && non_blocking) return Errno::again;
        const Woken woken = pipe.read_queue_.wait(
            pipe.lock_, [&]() NO_LOCK_ANALYSIS { return !pipe.ring_.empty() || !pipe.writers_; },
            {.reason = "pipe_read"});
        if (woken != Woken::condition) return Errno::restart;
        return pipe.ring_.count();
    }
    // How many more bytes fit. EPIPE, EAGAIN, Errno::restart.
    static Result<uint32_t> await_room(Pipe& pipe, bool non_blocking) {
        LockGuard guard(pipe.lock_);
        if (!pipe.ring_.room() && pipe.readers_ && non_blocking) return Errno::again;
        const Woken woken = pipe.write_queue_.wait(
            pipe.lock_, [&]() NO_LOCK_ANALYSIS { return pipe.ring_.room() || !pipe.readers_; },
            {.reason = "pipe_write"});
        if (!pipe.readers_) return Errno::pipe;
        if (woken != Woken::condition) return Errno::restart;
        return pipe.ring_.room();
    }
    // The bytes from `skipped` on that lie there; they stay. `taken`: for drop().
    static Result<uint32_t> peek(Pipe& pipe, ByteSink& to, uint32_t skipped, uint32_t& taken) {
        LockGuard guard(pipe.lock_);
        taken = pipe.ring_.taken();
        if (skipped >= pipe.ring_.count()) return 0u;
        return pipe.ring_.peek(to, skipped, UINT32_MAX);
    }
    // Takes them out, but those that another reader has taken since peek().
    static void drop(Pipe& pipe, uint32_t bytes, uint32_t taken) {
        LockGuard guard(pipe.lock_);
        const uint32_t by_others = pipe.ring_.taken() - taken;
        if (bytes > by_others) pipe.ring_.skip(std::min(bytes - by_others, pipe.ring_.count()));
        pipe.write_queue_.wake_all();
    }
    // What fits of them.
    static Result<uint32_t> put(Pipe& pipe, ByteSource& from) {
        LockGuard guard(pipe.lock_);
        if (!pipe.readers_) return Errno::pipe;
        if (!pipe.ring_.room()) return 0u;
        Result<uint32_t> done = pipe.ring_.write(from);
        pipe.read_queue_.wake_all();
        return done;
    }
};

namespace {

constexpr uint32_t kSpliceNonBlock = 2, kSpliceFlags = 15;

Pipe* pipe_of(File& file) {
    auto* end = file_as<PipeEnd>(file);
    return end ? &end->pipe() : nullptr;
}

// Calls step(buffer, done), which says how many bytes it moved, until `count` are through or one moves nothing.
// An error after the first byte is told by the next call.
template <typename F>
Result<uint32_t> move(uint32_t count, F&& step) {
    Box<PageBuffer> buffer = TRY(make_box<PageBuffer>());
    uint32_t done = 0;
    while (done < count) {
        const Result<uint32_t> moved =
            step(buffer->raw().first(std::min(count - done, kPageSize)), done);
        if (moved.is_error() && !done) return moved.error();
        if (moved.value_or(0) == 0) break;
        done += moved.value();
        preemption_point();
    }
    return done;
}

// From pipe to pipe; `keep`: what is in the first stays there, as tee(2) has it.
Result<uint32_t> between_pipes(Pipe& in, Pipe& out, uint32_t count, bool non_blocking, bool keep) {
    auto step = [&](std::span<uint8_t> buffer, uint32_t done) -> Result<uint32_t> {
        KernelSink sink(buffer);
        uint32_t taken;
        const uint32_t got = TRY(PipeSplice::peek(in, sink, keep ? done : 0, taken));
        if (!got) return 0u;
        KernelSource source(buffer.first(got));
        const uint32_t put = TRY(PipeSplice::put(out, source));
        if (!keep) PipeSplice::drop(in, put, taken);
        return put;
    };
    for (;;) {
        if (!TRY(PipeSplice::await_bytes(in, non_blocking))) return 0u;
        TRY(PipeSplice::await_room(out, non_blocking));
        // Nothing: others have taken the bytes or the room since. 0 would mean the end.
        if (const uint32_t done = TRY(move(count, step))) return done;
    }
}

// `at` null: at the file's own position, which moves on.
Result<uint32_t> to_file(Pipe& in, File& out, uint64_t* at, uint32_t count, bool non_blocking) {
    bool any;
    auto step = [&](std::span<uint8_t> buffer, uint32_t) -> Result<uint32_t> {
        KernelSink sink(buffer);
        uint32_t taken;
        const uint32_t got = TRY(PipeSplice::peek(in, sink, 0, taken));
        any |= got != 0;
        if (!got) return 0u;
        KernelSource source(buffer.first(got));
        const uint32_t put = TRY(at ? write_to(out, source, *at) : write_next(out, source));
        PipeSplice::drop(in, put, taken);
        if (at) *at += put;
        return put;
    };
    for (;;) {
        if (!TRY(PipeSplice::await_bytes(in, non_blocking))) return 0u;
        any = false;
        const uint32_t done = TRY(move(count, step));
        if (any) return done;  // else another reader has taken them since
    }
}

Result<void> with_no_value(Result<uint32_t> result) {
    return result.is_error() ? Result<void>(result.error()) : Result<void>();
}

// One that has no positions is asked once, so that only the first byte is waited for.
Result<uint32_t> from_file(File& in, uint64_t* at, Pipe& out, uint32_t count, bool non_blocking) {
    uint32_t room = TRY(PipeSplice::await_room(out, non_blocking));
    const bool once = !in.seekable() && !in.uniform();
    return move(count, [&](std::span<uint8_t> buffer, uint32_t done) -> Result<uint32_t> {
        if (done && once) return 0u;
        if (done) room = TRY(PipeSplice::await_room(out, true));
        KernelSink sink(buffer.first(std::min<size_t>(buffer.size(), room)));
        const uint32_t got =
            TRY(with_memory([&] { return at ? in.read_at(sink, *at) : in.read(sink); }));
        // Another writer may have been faster: what was read waits for room, or stays unread where it can.
        KernelSource source(buffer.first(got));
        Result<void> put;
        while (source.remaining() && put.is_ok()) {
            const Result<uint32_t> space = PipeSplice::await_room(out, !once && non_blocking);
            put = space.is_error() ? Result<void>(space.error()) : Result<void>();
            if (put.is_ok()) put = with_no_value(PipeSplice::put(out, source));
        }
        const uint32_t done_now = got - source.remaining();
        if (at)
            *at += done_now;
        else if (source.remaining() && in.seekable())
            TRY(in.seek(-static_cast<int64_t>(source.remaining()), 1));
        if (put.is_error() && !done_now) return put.error();
        return done_now;
    });
}

// Kinds of files that give or take a stream of bytes.
Result<void> check_stream(File& file) {
    const uint32_t type = TRY(file.attributes()).mode & kTypeMask;
    const bool right =
        type == kTypeRegular || type == kTypeBlock || type == kTypeCharacter || type == kTypeSocket;
    return right ? Result<void>() : Errno::inval;
}

Result<uint32_t> with_signal(Result<uint32_t> done) {
    if (done.is_error() && done.error() == Errno::pipe) raise_signal(kSigPipe);
    return done;
}

// A position that the program gives, and gets back.
class Position {
  public:
    Result<void> load(UserPtr<int64_t> from, File& file) {
        user_ = from;
        if (!from) return {};
        const int64_t wanted = TRY(read_user(from));
        if (wanted < 0 || !file.seekable()) return Errno::inval;
        at_ = static_cast<uint64_t>(wanted);
        return {};
    }
    uint64_t* get() { return user_ ? &at_ : nullptr; }
    Result<void> store() const {
        return user_ ? write_user(user_, static_cast<int64_t>(at_)) : Result<void>();
    }

  private:
    UserPtr<int64_t> user_;
    uint64_t at_ = 0;
};

}  // namespace

Result<uint32_t> sys_splice(int in_fd, UserPtr<int64_t> in_at, int out_fd, UserPtr<int64_t> out_at,
                            uint32_t count, uint32_t flags) {
    if (!count) return 0u;
    if (flags & ~kSpliceFlags) return Errno::inval;
    Ref<File> in = TRY(file_of(in_fd)), out = TRY(file_of(out_fd));
    Pipe* const from = pipe_of(*in);
    Pipe* const to = pipe_of(*out);
    if ((from && in_at) || (to && out_at)) return Errno::spipe;
    if (!in->readable() || !out->writable()) return Errno::badf;
    count = std::min(count, kMaxTransfer);
    bool non_blocking =
        (flags & kSpliceNonBlock) || (from && in->non_blocking()) || (to && out->non_blocking());
    if (from && to) {
        if (from == to) return Errno::inval;
        return with_signal(between_pipes(*from, *to, count, non_blocking, false));
    }
    if (!from && !to) return Errno::inval;
    Position position;
    TRY(position.load(from ? out_at : in_at, from ? *out : *in));
    if (from && (out->flags() & kOpenAppend)) return Errno::inval;
    TRY(check_stream(from ? *out : *in));
    Result<uint32_t> done =
        from ? to_file(*from, *out, position.get(), count, non_blocking)
             : with_signal(from_file(*in, position.get(), *to, count, non_blocking));
    if (done.is_ok()) TRY(position.store());
    return done;
}

Result<uint32_t> sys_tee(int in_fd, int out_fd, uint32_t count, uint32_t flags) {
    if (flags & ~kSpliceFlags) return Errno::inval;
    if (!count) return 0u;
    Ref<File> in = TRY(readable_file(in_fd)), out = TRY(writable_file(out_fd));
    Pipe* const from = pipe_of(*in);
    Pipe* const to = pipe_of(*out);
    if (!from || !to || from == to) return Errno::inval;
    const bool non_blocking =
        (flags & kSpliceNonBlock) || in->non_blocking() || out->non_blocking();
    return with_signal(
        between_pipes(*from, *to, std::min(count, kMaxTransfer), non_blocking, true));
}

// Into a pipe what fits, out of one what there is.
Result<uint32_t> sys_vmsplice(int fd, UserPtr<const UserRange> vector, uint32_t ranges,
                              uint32_t flags) {
    if (flags & ~kSpliceFlags) return Errno::inval;
    Ref<File> file = TRY(file_of(fd));
    Pipe* const pipe = pipe_of(*file);
    if (!pipe || (file->flags() & kOpenPath)) return Errno::badf;
    RangeList list;
    TRY(list.load(vector, ranges));
    const bool non_blocking = flags & kSpliceNonBlock;  // the pipe's own O_NONBLOCK does not count
    if (file->writable()) {
        UserVectorSource source(list.span());
        if (!source.remaining()) return 0u;
        for (;;) {
            Result<uint32_t> room = PipeSplice::await_room(*pipe, non_blocking);
            if (room.is_error()) return with_signal(std::move(room));
            Result<uint32_t> put = PipeSplice::put(*pipe, source);
            if (put.is_error() || put.value()) return with_signal(std::move(put));
        }
    }
    UserVectorSink sink(list.span());
    while (sink.remaining() && TRY(PipeSplice::await_bytes(*pipe, non_blocking))) {
        uint32_t taken;
        const uint32_t got = TRY(PipeSplice::peek(*pipe, sink, 0, taken));
        PipeSplice::drop(*pipe, got, taken);
        if (got) return got;
    }
    return 0u;
}

constexpr SystemCall kSpliceCalls[] = {
    CALL(313, splice, sys_splice),
    CALL(315, tee, sys_tee),
    CALL(316, vmsplice, sys_vmsplice),
};
SYSTEM_CALLS(kSpliceCalls);

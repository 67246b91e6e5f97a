// /proc/trace: the kernel's trace as text, oldest event first, up to the moment of opening; writing
// anything to it forgets what is there. /proc/trace_raw: the same in the binary form for the host's
// decoder. /proc/trace_marker: what is written there becomes an event.
// Locks: each open file has a Mutex (rank inode) around its place in the stream.
#include <algorithm>

#include "fs/cached_file.hpp"
#include "fs/proc/proc_entry.hpp"
#include "kernel/trace/reader.hpp"

namespace {

class TraceFile final : public InodeFile {
  public:
    TraceFile(uint32_t flags, Inode& inode, TraceStream::Form form)
        : InodeFile(flags, inode), stream_(trace_rings(), form, trace_text_at) {}

    Result<uint32_t> read_at(ByteSink& to, uint64_t) override {
        LockGuard guard(lock_);
        uint32_t done = 0;
        while (to.remaining()) {
            uint8_t bytes[512];
            const uint32_t n =
                stream_.read({bytes, std::min<uint32_t>(to.remaining(), sizeof bytes)});
            if (!n) break;
            const uint32_t put = to.put(bytes, n);
            done += put;
            if (put < n) return done ? Result(done) : Errno::fault;
        }
        return done;
    }
    Result<uint32_t> write_at(ByteSource& from, uint64_t) override {
        trace_clear();
        return from.remaining();
    }
    Result<void> truncate(uint64_t) override { return {}; }

  private:
    Mutex lock_{LockRank::inode};
    TraceStream stream_ GUARDED_BY(lock_);
};

template <TraceStream::Form form>
Result<Ref<File>> open_trace(uint32_t flags, Inode& inode, const ProcTarget&) {
    return TRY(make_ref<TraceFile>(flags, inode, form));
}
Result<void> mark_trace(std::string_view text) {
    trace_mark(text);
    return {};
}

constexpr ProcEntry kTraceSettings[] = {
    {.name = "events", .show = show_trace_categories, .store = choose_trace_categories},
    {.name = "lost", .show = [](TextSink& to) { format_to(to, "{}\n", trace_lost()); }},
};

constexpr ProcEntry kTraceDirectory[] = {{.name = "trace", .children = kTraceSettings}};
PROC_FILES(proc_sys_kernel, kTraceDirectory);

constexpr ProcEntry kTraceFiles[] = {
    {.name = "trace", .mode = kTypeRegular | 0600, .open = open_trace<TraceStream::Form::text>},
    {.name = "trace_marker", .mode = kTypeRegular | 0222, .store = mark_trace},
    {.name = "trace_raw",
     .mode = kTypeRegular | 0400,
     .open = open_trace<TraceStream::Form::binary>},
};
PROC_FILES(proc_root, kTraceFiles);

}  // namespace

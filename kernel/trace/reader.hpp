// TraceReader: the events of all rings in order of time, from the oldest kept to the last one at
// its making. TraceStream: the same as bytes, to be taken in pieces of any size: either the text of
// /proc/trace, or the binary form for the host's decoder:
//
//   orrery-trace 1                                lines of text, up to an empty one:
//   tsc_khz KHZ origin TSC cpus N ring ADDRESS rare ADDRESS    (of the first CPU's rings, for debuggers)
//   event NUMBER CATEGORY NAME FIELD:KIND...      the table of events.hpp
//   value KIND NUMBER NAME                        names of the values of a kind
//                                                 then events of 32 bytes (ring.hpp), `text` ones
//                                                 before the first use of an address; `lost` ends
//
// Locks: none. A writer may overtake a reader: what is overwritten then counts as lost.
#pragma once

#include "kernel/lib/format.hpp"
#include "kernel/trace/trace.hpp"

class TraceReader {
  public:
    explicit TraceReader(std::span<TraceRing* const> rings);
    bool next(TraceEvent& to);
    uint32_t lost() const { return lost_; }

  private:
    struct Cursor {
        const TraceRing* ring;
        uint32_t at, end;
        bool loaded;
        TraceEvent head;
    };
    void load(Cursor& cursor);

    Cursor cursors_[kMaxTraceRings];
    uint32_t count_ = 0, lost_ = 0;
};

class TraceStream {
  public:
    enum class Form : uint8_t { text, binary };
    using Resolver = const char* (*)(uint32_t address);
    TraceStream(std::span<TraceRing* const> rings, Form form, Resolver resolver)
        : reader_(rings), form_(form), resolver_(resolver) {}
    uint32_t read(std::span<uint8_t> to);  // 0: the end

  private:
    enum class Stage : uint8_t { start, types, values, events, finished };
    bool produce();
    void produce_binary_head(TextSink& to);
    void put_binary(const TraceEvent& event);
    void announce_text(uint32_t address);
    void put_event(const TraceEvent& event);

    TraceReader reader_;
    Form form_;
    Resolver resolver_;
    Stage stage_ = Stage::start;
    uint32_t index_ = 0;
    const TraceNames* names_ = nullptr;
    uint8_t piece_[256];  // produced, not yet taken
    uint32_t piece_size_ = 0, piece_taken_ = 0;
    static constexpr uint32_t kAnnounced = 64;
    uint32_t announced_[kAnnounced] = {}, announced_next_ = 0;
};

// One event as a line of text without time and CPU: "switch next=3 previous=blocked".
void format_trace_event(TextSink& to, const TraceEvent& event, TraceStream::Resolver resolver);
const char* trace_text_at(uint32_t address);  // the kernel's resolver

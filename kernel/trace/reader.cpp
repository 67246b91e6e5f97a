// See reader.hpp.
#include "kernel/trace/reader.hpp"

#include <algorithm>

namespace {

constexpr uint32_t kTextBytes = 64;  // of a string, in the binary form

std::string_view take_word(std::string_view& from, char end) {
    const size_t at = std::min(from.find(end), from.size());
    std::string_view word = from.substr(0, at);
    from.remove_prefix(std::min(at + 1, from.size()));
    return word;
}

TraceEvent made_up(TraceType type, uint32_t argument) {
    TraceEvent event{};
    event.type = static_cast<uint8_t>(type);
    event.args[0] = argument;
    return event;
}

const char* name_of(std::string_view kind, uint32_t value) {
    for (const TraceNames* names = trace_names(); names; names = names->next)
        if (kind == names->kind) return value < names->count ? names->name(value) : nullptr;
    return nullptr;
}

void put_chars(TextSink& to, std::span<const uint32_t> words) {
    for (uint32_t word : words)
        for (; word; word >>= 8) {
            const char c = static_cast<char>(word);
            to.put({&c, 1});
        }
}

void put_value(TextSink& to, std::string_view kind, uint32_t value,
               TraceStream::Resolver resolver) {
    if (kind == "int" || kind == "tid" || kind == "result")
        format_to(to, "{}", static_cast<int32_t>(value));
    else if (kind == "text")
        format_to(to, "\"{}\"", value ? resolver(value) : "");
    else if (const char* name = kind == "hex" ? nullptr : name_of(kind, value))
        to.put(name);
    else
        format_to(to, "0x{:x}", value);
}

}  // namespace

void format_trace_event(TextSink& to, const TraceEvent& event, TraceStream::Resolver resolver) {
    if (event.type >= kTraceTypeCount) return;
    const TraceTypeInfo& info = kTraceTypes[event.type];
    to.put(info.name);
    std::string_view fields = info.fields;
    for (uint32_t i = 0; i < 4 && !fields.empty(); ++i) {
        std::string_view kind = take_word(fields, ' ');
        format_to(to, " {}=", take_word(kind, ':'));
        if (kind == "chars")
            put_chars(to, std::span(event.args).subspan(i));
        else
            put_value(to, kind, event.args[i], resolver);
    }
}

const char* trace_text_at(uint32_t address) {
    return reinterpret_cast<const char*>(static_cast<uintptr_t>(address));
}

// --- TraceReader

TraceReader::TraceReader(std::span<TraceRing* const> rings) {
    for (const TraceRing* ring : rings) {
        if (count_ == kMaxTraceRings) break;
        Cursor& cursor = cursors_[count_++];
        cursor.ring = ring;
        cursor.end = ring->written();
        cursor.at = ring->first();
        lost_ += ring->lost();
        load(cursor);
    }
}

void TraceReader::load(Cursor& cursor) {
    for (cursor.loaded = false; static_cast<int32_t>(cursor.end - cursor.at) > 0; ++cursor.at) {
        cursor.loaded = cursor.ring->read(cursor.at, cursor.head);
        if (cursor.loaded) return;
        ++lost_;
    }
}

bool TraceReader::next(TraceEvent& to) {
    Cursor* first = nullptr;
    for (Cursor& cursor : std::span(cursors_, count_))
        if (cursor.loaded && (!first || cursor.head.tsc < first->head.tsc)) first = &cursor;
    if (!first) return false;
    to = first->head;
    ++first->at;
    load(*first);
    return true;
}

// --- TraceStream

uint32_t TraceStream::read(std::span<uint8_t> to) {
    uint32_t done = 0;
    while (done < to.size()) {
        if (piece_taken_ == piece_size_) {
            piece_taken_ = piece_size_ = 0;
            if (!produce()) break;
        }
        const auto n =
            std::min<uint32_t>(piece_size_ - piece_taken_, static_cast<uint32_t>(to.size()) - done);
        std::copy_n(piece_ + piece_taken_, n, to.data() + done);
        piece_taken_ += n;
        done += n;
    }
    return done;
}

// Fills the piece, perhaps with nothing. False at the end.
bool TraceStream::produce() {
    BufferSink sink({reinterpret_cast<char*>(piece_), sizeof piece_});
    if (stage_ == Stage::finished) return false;
    if (stage_ == Stage::events) {
        TraceEvent event;
        if (reader_.next(event)) {
            put_event(event);
            return true;
        }
        stage_ = Stage::finished;
        if (form_ == Form::binary) put_binary(made_up(TraceType::lost_event, reader_.lost()));
        return true;
    }
    if (form_ == Form::text) {
        format_to(sink, "# lost {} events; categories: ", reader_.lost());
        show_trace_categories(sink);
        sink.put("#  THREAD  CPU       SECONDS  EVENT\n");
        stage_ = Stage::events;
    } else {
        produce_binary_head(sink);
    }
    piece_size_ = static_cast<uint32_t>(sink.view().size());
    return true;
}

void TraceStream::produce_binary_head(TextSink& to) {
    if (stage_ == Stage::start) {
        const std::span<TraceRing* const> rings = trace_rings();
        format_to(to, "orrery-trace 1\ntsc_khz {} origin {} cpus {} ring {} rare {}\n",
                  trace_clock.tsc_kilohertz, trace_clock.origin, rings.size() / 2,
                  rings.empty() ? 0 : rings[1]->address(), rings.empty() ? 0 : rings[0]->address());
        stage_ = Stage::types;
    } else if (stage_ == Stage::types) {
        const TraceTypeInfo& info = kTraceTypes[index_];
        format_to(to, "event {} {} {} {}\n", index_,
                  kTraceCategories[static_cast<uint32_t>(info.category)], info.name, info.fields);
        if (++index_ < kTraceTypeCount) return;
        stage_ = Stage::values;
        names_ = trace_names();
        index_ = 0;
    } else if (names_) {
        const char* name = names_->name(index_);
        if (name) format_to(to, "value {} {} {}\n", names_->kind, index_, name);
        if (++index_ < names_->count) return;
        names_ = names_->next;
        index_ = 0;
    } else {
        to.put("\n");
        stage_ = Stage::events;
    }
}

void TraceStream::put_binary(const TraceEvent& event) {
    TraceEvent copy = event;
    copy.lap = 0;
    __builtin_memcpy(piece_ + piece_size_, &copy, sizeof copy);
    piece_size_ += sizeof copy;
}

// The string behind an address, twelve characters an event.
void TraceStream::announce_text(uint32_t address) {
    if (!address ||
        std::find(announced_, announced_ + kAnnounced, address) != announced_ + kAnnounced)
        return;
    announced_[announced_next_++ % kAnnounced] = address;
    std::string_view text = resolver_(address);
    text = text.substr(0, kTextBytes);
    do {
        TraceEvent event = made_up(TraceType::text_event, address);
        const size_t n = std::min<size_t>(text.size(), 12);
        __builtin_memcpy(&event.args[1], text.data(), n);
        put_binary(event);
        text.remove_prefix(n);
    } while (!text.empty());
}

void TraceStream::put_event(const TraceEvent& event) {
    if (form_ == Form::binary) {
        std::string_view fields = kTraceTypes[event.type].fields;
        for (uint32_t i = 0; i < 4 && !fields.empty(); ++i)
            if (take_word(fields, ' ').ends_with(":text")) announce_text(event.args[i]);
        return put_binary(event);
    }
    BufferSink sink({reinterpret_cast<char*>(piece_), sizeof piece_});
    const uint64_t micros = (event.tsc - trace_clock.origin) * 1000 / trace_clock.tsc_kilohertz;
    format_to(sink, "{:>9}  [{}]  {:>5}.{:06}  ", event.tid, event.cpu, micros / 1'000'000,
              micros % 1'000'000);
    format_trace_event(sink, event, resolver_);
    sink.put("\n");
    piece_size_ = static_cast<uint32_t>(sink.view().size());
}

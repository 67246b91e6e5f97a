// See trace.hpp. The list of rings only grows, at start-up; names likewise.
// Locks: none.
#include "kernel/trace/trace.hpp"

#include <algorithm>
#include <utility>

#include "kernel/arch/interrupts.hpp"
#include "kernel/trace/watch.hpp"

constinit Atomic<uint32_t> trace_mask = 0;
constinit TraceClock trace_clock{};

namespace {

constexpr uint32_t kRareShare = 8;  // the rare ring's part of the memory: one in so many

constinit TraceRings rings_of_cpus[kMaxCpus] = {};
constinit TraceRing* rings[kMaxTraceRings] = {};
constinit Atomic<uint32_t> ring_count = 0;
constinit uint32_t chosen = kTraceDefault;  // before the first CPU has rings
constinit TraceNames* names = nullptr;

void apply_choice() { trace_mask = chosen | trace_watches.categories; }

uint32_t floor_log2(uint32_t n) { return 31 - static_cast<uint32_t>(__builtin_clz(n)); }

int category_named(std::string_view name) {
    for (uint32_t i = 0; i < kTraceCategoryCount; ++i)
        if (name == kTraceCategories[i]) return static_cast<int>(i);
    return -1;
}

uint32_t four_chars(std::string_view text, uint32_t from) {
    uint32_t word = 0;
    for (uint32_t i = 0; i < 4 && from + i < text.size(); ++i)
        word |= static_cast<uint32_t>(static_cast<uint8_t>(text[from + i])) << 8 * i;
    return word;
}

}  // namespace

void trace_name(int tid, std::string_view name) {
    // The subject is not the running thread: its number replaces that one's for this event.
    InterruptsOff off;
    const int running = std::exchange(this_cpu().current_tid, tid);
    trace<TraceType::name_event>(four_chars(name, 0), four_chars(name, 4), four_chars(name, 8),
                                 four_chars(name, 12));
    this_cpu().current_tid = running;
}

void trace_mark(std::string_view text) {
    for (uint32_t at = 0; at < text.size(); at += 16)
        trace<TraceType::mark_event>(four_chars(text, at), four_chars(text, at + 4),
                                     four_chars(text, at + 8), four_chars(text, at + 12));
}

void trace_attach(Cpu& cpu, std::span<TraceEvent> memory) {
    const auto events = static_cast<uint32_t>(memory.size());
    if (cpu.id >= kMaxCpus || events < 2 * kRareShare) return;
    const uint32_t rare = floor_log2(events / kRareShare);
    const uint32_t busy = floor_log2(events - (1u << rare));
    TraceRings& both = rings_of_cpus[cpu.id];
    both.rare.use(memory.data(), rare);
    both.busy.use(memory.data() + (1u << rare), busy);
    const uint32_t at = ring_count.fetch_add(2);
    rings[at] = &both.rare;
    rings[at + 1] = &both.busy;
    (trace_watches.active ? trace_watches.rings[cpu.id] : cpu.trace) = &both;
    apply_choice();
}

void trace_detach_all() { trace_mask.store(0); }

void add_trace_names(TraceNames& more) {
    more.next = names;
    names = &more;
}
const TraceNames* trace_names() { return names; }

void show_trace_categories(TextSink& to) {
    for (uint32_t i = 0; i < kTraceCategoryCount; ++i)
        format_to(to, trace_mask & 1u << i ? "{}[{}]" : "{}{}", i ? " " : "", kTraceCategories[i]);
    to.put("\n");
}

Result<void> choose_trace_categories(std::string_view list) {
    uint32_t wanted = list.starts_with('+') || list.starts_with('-') ? chosen : 0;
    while (!list.empty()) {
        const size_t end = std::min(list.find_first_of(" ,"), list.size());
        std::string_view word = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        const bool off = word.starts_with('-');
        if (off || word.starts_with('+')) word.remove_prefix(1);
        if (word.empty()) continue;
        const int category = category_named(word);
        uint32_t bits = word == "all" ? kTraceAll : 0;
        if (category >= 0) bits = 1u << category;
        if (!bits && word != "none") return Errno::inval;
        wanted = off ? wanted & ~bits : wanted | bits;
    }
    chosen = wanted;
    if (ring_count) apply_choice();
    return {};
}

std::span<TraceRing* const> trace_rings() { return {rings, ring_count}; }

uint32_t trace_lost() {
    uint32_t lost = 0;
    for (const TraceRing* ring : trace_rings()) lost += ring->lost();
    return lost;
}

void trace_clear() {
    for (TraceRing* ring : trace_rings()) ring->clear();
}

// Programs whose every access to their data goes through a model of a TLB (mm/tlb_model.hpp). The
// data is real memory; its addresses are the trace.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <string_view>
#include <vector>

#include "mm/tlb_model.hpp"
#include "user/lab-tlb/lab.hpp"

namespace {

struct Options {
    uint32_t entries = 64, ways = 4, memory = 100, lookup = 20;
    TlbReplacement replacement = TlbReplacement::lru;
};

class Trace {
  public:
    explicit Trace(const Options& o)
        : entries_(o.entries), model_(entries_, o.ways, o.replacement) {}
    void note(const void* address) {
        const auto page = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(address) >> 12);
        if (!seen_[page]) seen_[page] = true, ++pages_;
        model_.access(page);
    }
    const TlbCounts& counts() const { return model_.counts(); }
    size_t pages() const { return pages_; }

  private:
    std::vector<TlbModel::Entry> entries_;
    TlbModel model_;
    std::vector<bool> seen_ = std::vector<bool>(1u << 20);
    size_t pages_ = 0;
};

// Memory whose accesses are noted.
template <typename T>
class Watched {
  public:
    Watched(Trace& trace, size_t size) : trace_(trace), data_(size) {}
    T& operator[](size_t i) {
        trace_.note(&data_[i]);
        return data_[i];
    }
    std::vector<T>& unseen() { return data_; }

  private:
    Trace& trace_;
    std::vector<T> data_;
};

uint32_t next_random() {
    static uint32_t state = 1;
    state = state * 1664525 + 1013904223;
    return state >> 8;
}

constexpr size_t kSide = 512, kWords = kSide * kSide;  // 256 pages of words

void sequential(Trace& trace) {
    Watched<uint32_t> words(trace, kWords);
    for (size_t i = 0; i < kWords; ++i) words[i] = 1;
}
void by_rows(Trace& trace) {
    Watched<uint32_t> matrix(trace, kWords);
    for (size_t row = 0; row < kSide; ++row)
        for (size_t column = 0; column < kSide; ++column) matrix[row * kSide + column] += 1;
}
void by_columns(Trace& trace) {
    Watched<uint32_t> matrix(trace, kWords);
    for (size_t column = 0; column < kSide; ++column)
        for (size_t row = 0; row < kSide; ++row) matrix[row * kSide + column] += 1;
}

// C = A B of 64 by 64 words; `block` by `block` at a time.
void multiply(Trace& trace, size_t block) {
    constexpr size_t n = 64;
    Watched<uint32_t> a(trace, n * n), b(trace, n * n), c(trace, n * n);
    for (size_t i0 = 0; i0 < n; i0 += block)
        for (size_t j0 = 0; j0 < n; j0 += block)
            for (size_t k0 = 0; k0 < n; k0 += block)
                for (size_t i = i0; i < i0 + block; ++i)
                    for (size_t j = j0; j < j0 + block; ++j)
                        for (size_t k = k0; k < k0 + block; ++k)
                            c[i * n + j] += a[i * n + k] * b[k * n + j];
}

void random_words(Trace& trace) {
    Watched<uint32_t> words(trace, kWords);
    for (int i = 0; i < 200'000; ++i) words[next_random() % kWords] = 1;
}

void chase_list(Trace& trace) {
    Watched<uint32_t> next(trace, kWords / 4);
    std::vector<uint32_t>& order = next.unseen();
    std::iota(order.begin(), order.end(), 0u);
    for (size_t i = order.size() - 1; i > 0; --i)  // one cycle through all, in random order
        std::swap(order[i], order[next_random() % i]);
    for (uint32_t at = 0, i = 0; i < 200'000; ++i) at = next[at];
}

void binary_search(Trace& trace) {
    Watched<uint32_t> sorted(trace, kWords);
    std::iota(sorted.unseen().begin(), sorted.unseen().end(), 0u);
    for (int i = 0; i < 10'000; ++i) {
        const uint32_t wanted = next_random() % kWords;
        size_t low = 0, high = kWords;
        while (high - low > 1) {
            const size_t middle = (low + high) / 2;
            (sorted[middle] <= wanted ? low : high) = middle;
        }
    }
}

void quick_sort(Watched<uint32_t>& words, size_t low, size_t high) {
    while (low + 1 < high) {
        const uint32_t pivot = words[(low + high - 1) / 2];
        size_t i = low, j = high - 1;
        for (;; ++i, --j) {
            while (words[i] < pivot) ++i;
            while (words[j] > pivot) --j;
            if (i >= j) break;
            std::swap(words[i], words[j]);
        }
        quick_sort(words, low, j + 1);
        low = j + 1;
    }
}
void sort(Trace& trace) {
    Watched<uint32_t> words(trace, 100'000);
    for (uint32_t& word : words.unseen()) word = next_random();
    quick_sort(words, 0, words.unseen().size());
}

struct Load {
    const char* name;
    void (*run)(Trace&);
} constexpr kLoads[] = {{"one after another", sequential},
                        {"matrix by rows", by_rows},
                        {"matrix by columns", by_columns},
                        {"product, row by column", [](Trace& t) { multiply(t, 64); }},
                        {"product, blocks of 8", [](Trace& t) { multiply(t, 8); }},
                        {"quicksort", sort},
                        {"binary search", binary_search},
                        {"random words", random_words},
                        {"list in random order", chase_list}};

bool take(Options& options, std::string_view name, const char* text) {
    if (name == "--replacement") {
        for (uint32_t i = 0; i < std::size(kTlbReplacementNames); ++i)
            if (text == kTlbReplacementNames[i]) {
                options.replacement = static_cast<TlbReplacement>(i);
                return true;
            }
        return false;
    }
    char* end;
    const auto value = static_cast<uint32_t>(std::strtoul(text, &end, 10));
    if (end == text || *end || value == 0 || value > 1'000'000) return false;
    if (name == "--entries") return options.entries = value, value <= 65'536;
    if (name == "--ways") return options.ways = value, true;
    if (name == "--memory") return options.memory = value, true;
    if (name == "--lookup") return options.lookup = value, true;
    return false;
}

}  // namespace

int show_model(int argc, char** argv) {
    Options options;
    for (int i = 0; i + 1 < argc; i += 2)
        if (!take(options, argv[i], argv[i + 1])) argc = 1;
    if (argc % 2 || options.entries % options.ways) {
        std::fputs("lab-tlb: bad option, or entries that are no multiple of the ways\n", stderr);
        return 2;
    }
    std::printf("TLB of %u entries, %u ways, %s; memory %u, look-up %u; without a TLB %u\n",
                options.entries, options.ways,
                kTlbReplacementNames[static_cast<uint32_t>(options.replacement)].data(),
                options.memory, options.lookup, 2 * options.memory);
    std::printf("%-24s %9s %6s %9s %9s\n", "accesses of", "count", "pages", "hits", "EAT");
    for (const Load& load : kLoads) {
        Trace trace(options);
        load.run(trace);
        const TlbCounts& c = trace.counts();
        const auto time = static_cast<uint32_t>(c.access_time(options.memory, options.lookup));
        std::printf("%-24s %9llu %6zu %5u.%02u%% %5u.%03u\n", load.name,
                    static_cast<unsigned long long>(c.accesses), trace.pages(), c.hit_rate() / 100,
                    c.hit_rate() % 100, time / 1000, time % 1000);
    }
    return 0;
}

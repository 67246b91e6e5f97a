// Programs whose every access to their data goes through a model of a TLB (mm/tlb_model.hpp). The
// data is real memory; its addresses are the trace.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <set>
#include <vector>

#include "mm/tlb_model.hpp"
#include "user/lab-tlb/lab.hpp"
#include "user/lab/command.hpp"
#include "user/lab/random.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-tlb model [--entries N] [--ways N] [--replacement lru|fifo|random] [--memory T]\n"
    "                     [--lookup L] [--json] [PAGE... | --random N [--pages P] [--seed S]]\n"
    "The hits of a TLB of N entries (64) in sets of so many ways (4), and the effective access "
    "time\n"
    "EAT = a*L + (1-a)*(T+L) + T for the hit rate a, a memory access of T (100) and a look-up of L "
    "(20):\n"
    "of programs whose every access to their data is counted, or of a string of pages. (QEMU's own "
    "TLB\n"
    "takes no time, so no measurement here could show it.)\n"
    "    # lab-tlb model --entries 2 --ways 2 --memory 100 --lookup 20 1 2 1 3 1\n"
    "    TLB of 2 entries, 2 ways, lru; memory 100, look-up 20; without a TLB 200\n"
    "    accesses of        count  pages    hits      EAT\n"
    "    the given pages        5      3  40.00%  180.000\n"
    "    1 miss, 2 miss, 1 hit, 3 miss, 1 hit\n";

struct Options {
    long entries = 64, ways = 4, memory = 100, lookup = 20, random = 0, pages = 20, seed = 1;
    std::string replacement = "lru";
    bool json = false;
    std::vector<long> string;
    TlbReplacement rule() const {
        uint32_t index = 0;
        while (replacement != kTlbReplacementNames[index]) ++index;
        return static_cast<TlbReplacement>(index);
    }
};

class Trace {
  public:
    explicit Trace(const Options& o)
        : entries_(static_cast<size_t>(o.entries)),
          model_(entries_, static_cast<uint32_t>(o.ways), o.rule()) {}
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

Options parse(int argc, char** argv) {
    Options o;
    const std::vector<std::string> words =
        lab::Command(kHelp)
            .number("--entries", o.entries, 1, 65'536)
            .number("--ways", o.ways, 1, 65'536)
            .choice("--replacement", o.replacement,
                    {std::begin(kTlbReplacementNames), std::end(kTlbReplacementNames)})
            .number("--memory", o.memory, 1, 1'000'000)
            .number("--lookup", o.lookup, 1, 1'000'000)
            .random(o.random, 1'000'000, o.seed)
            .number("--pages", o.pages, 1, 1'000'000)
            .flag("--json", o.json)
            .parse(argc, argv);
    if (o.entries % o.ways)
        lab::refuse("%ld entries are no multiple of %ld ways", o.entries, o.ways);
    if (!words.empty() && o.random) lab::refuse("either pages, or --random N of them");
    for (const std::string& word : words)
        o.string.push_back(lab::number("PAGE", word, 0, 1'048'575));
    lab::Random random(o.seed);
    for (long i = 0; i < o.random; ++i) o.string.push_back(random.between(0, o.pages - 1));
    return o;
}

void add_row(lab::Table& table, const Options& o, const char* name, const TlbCounts& c,
             size_t pages) {
    const uint64_t time =
        c.access_time(static_cast<uint64_t>(o.memory), static_cast<uint64_t>(o.lookup));
    const lab::Decimal rate{c.hit_rate() / 100.0, 2}, eat{double(time) / 1000, 3};
    table.row({name, c.accesses, pages, lab::Cell(lab::json(rate) + "%", rate), eat});
}

// What became of each access, for people as words and for programs as numbers of those that hit.
struct Hits {
    std::string words;
    std::vector<bool> all;
};
Hits run_string(lab::Table& table, const Options& o) {
    std::vector<TlbModel::Entry> entries(static_cast<size_t>(o.entries));
    TlbModel model(entries, static_cast<uint32_t>(o.ways), o.rule());
    Hits hits;
    for (long page : o.string) {
        lab::write_file("/proc/trace_marker", "access " + std::to_string(hits.all.size() + 1));
        hits.all.push_back(model.access(static_cast<uint32_t>(page)));
        hits.words += (hits.words.empty() ? "" : ", ") + std::to_string(page) +
                      (hits.all.back() ? " hit" : " miss");
    }
    const std::set<long> pages(o.string.begin(), o.string.end());
    add_row(table, o, "the given pages", model.counts(), pages.size());
    return hits;
}

}  // namespace

int show_model(int argc, char** argv) {
    const Options o = parse(argc, argv);
    lab::Table table({{"load", "accesses of"},
                      {"accesses", "count"},
                      {"pages", "pages"},
                      {"hit_percent", "hits"},
                      {"eat", "EAT"}});
    Hits hits;
    if (!o.string.empty())
        hits = run_string(table, o);
    else
        for (const Load& load : kLoads) {
            Trace trace(o);
            load.run(trace);
            add_row(table, o, load.name, trace.counts(), trace.pages());
        }
    if (o.json) {
        std::vector<int> all(hits.all.begin(), hits.all.end());
        lab::Object input;
        input.add("entries", o.entries).add("ways", o.ways).add("replacement", o.replacement);
        input.add("memory", o.memory).add("lookup", o.lookup).add("string", o.string);
        lab::Object()
            .add("lab", "lab-tlb model")
            .add("input", input)
            .add("hits", all)
            .add("rows", table.rows())
            .print();
        return 0;
    }
    std::printf("TLB of %ld entries, %ld ways, %s; memory %ld, look-up %ld; without a TLB %ld\n",
                o.entries, o.ways, o.replacement.c_str(), o.memory, o.lookup, 2 * o.memory);
    table.print();
    if (!hits.words.empty() && o.string.size() <= 100) std::puts(hits.words.c_str());
    return 0;
}

// lab-partitions: programs that come and go in memory divided into partitions: one, fixed ones, or
// dynamic ones by six rules. Fragmentation is told in the textbook's units, and beside it in bytes of
// the kernel's heap under the same requests.
#include <bit>
#include <cstdio>

#include "user/lab-partitions/kernel_heap.hpp"
#include "user/lab-partitions/memory.hpp"
#include "user/lab/command.hpp"
#include "user/lab/random.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-partitions [--scheme NAME] [--memory UNITS] [--fixed SIZE,SIZE...] [--unit BYTES]\n"
    "                      [--json] STEP... | --random N [--seed S]\n"
    "STEP: NAME=UNITS a program comes, -NAME it ends, ! compaction. With --scheme the memory "
    "after\n"
    "each step; without it all schemes after the last one: single fixed first-fit next-fit "
    "best-fit\n"
    "worst-fit quick-fit buddy. Memory has 64 units (fixed: 4 partitions of a quarter each).\n"
    "internal: units of partitions given out that nobody asked for; external: free units that are\n"
    "not in the largest hole (of dynamic partitions: the others have none). The same requests go "
    "to the kernel's heap, a unit being 1024 bytes:\n"
    "there headers and rounding count too. Buddies: memory is rounded down to a power of two.\n"
    "    # lab-partitions --scheme first-fit --memory 64 a=10 b=20 c=8 -a -c d=27\n"
    "    step  result                    internal  external  kernel int  kernel ext  memory\n"
    "    a=10  at 0                             0         0          16           0  a:10 -:54\n"
    "    b=20  at 10                            0         0          32           0  a:10 b:20 "
    "-:34\n"
    "    c=8   at 30                            0         0          48           0  a:10 b:20 c:8 "
    "-:26\n"
    "    -a    neither side free                0        10          32       10256  -:10 b:20 c:8 "
    "-:26\n"
    "    -c    joins the hole above             0        10          16       10256  -:10 b:20 "
    "-:34\n"
    "    d=27  at 30                            0         7          32        7056  -:10 b:20 "
    "d:27 "
    "-:7\n";

struct Step {
    enum Kind { come, end, compact } kind;
    std::string owner;
    uint32_t units = 0;
    std::string text() const {
        if (kind == compact) return "!";
        return kind == end ? "-" + owner : owner + "=" + std::to_string(units);
    }
};

struct Options {
    std::string scheme;
    long memory = 64, unit = 1024, random = 0, seed = 1;
    std::vector<long> fixed;
    bool json = false;
    std::vector<Step> steps;
};

Step read_step(const std::string& word, long memory) {
    if (word == "!") return {Step::compact, ""};
    if (word.size() > 1 && word[0] == '-') return {Step::end, word.substr(1)};
    const size_t equals = word.find('=');
    if (equals == 0 || equals == word.npos)
        lab::refuse("a step is NAME=UNITS, -NAME or !; not '%s'", word.c_str());
    return {Step::come, word.substr(0, equals),
            static_cast<uint32_t>(lab::number("UNITS", word.substr(equals + 1), 1, memory))};
}

// Programs of up to an eighth of the memory; a little more come than end.
std::vector<Step> random_steps(long count, long seed, long memory) {
    lab::Random random(seed);
    std::vector<Step> steps;
    std::vector<std::string> running;
    for (long n = 0; n < count; ++n) {
        if (running.empty() || random.chance(52)) {
            running.push_back("p" + std::to_string(n));
            steps.push_back({Step::come, running.back(),
                             static_cast<uint32_t>(random.between(1, std::max(memory / 8, 1l)))});
        } else {
            const auto which =
                static_cast<size_t>(random.between(0, static_cast<long>(running.size()) - 1));
            std::swap(running[which], running.back());
            steps.push_back({Step::end, running.back()});
            running.pop_back();
        }
    }
    return steps;
}

Options parse(int argc, char** argv) {
    Options o;
    const std::vector<std::string> words =
        lab::Command(kHelp)
            .choice("--scheme", o.scheme, {std::begin(kSchemes), std::end(kSchemes)})
            .number("--memory", o.memory, 4, 65'536)
            .numbers("--fixed", o.fixed, 1, 65'536)
            .number("--unit", o.unit, 64, 4096)
            .random(o.random, 100'000, o.seed)
            .flag("--json", o.json)
            .parse(argc, argv);
    if (words.empty() == !o.random)
        lab::refuse("give steps or --random N, like a=10 b=20 -a; see --help");
    if (o.fixed.empty()) o.fixed.assign(4, o.memory / 4);
    long sum = 0;
    for (long size : o.fixed) sum += size;
    if (sum > o.memory)
        lab::refuse("fixed partitions of %ld units in a memory of %ld (--memory)", sum, o.memory);
    for (const std::string& word : words) o.steps.push_back(read_step(word, o.memory));
    if (o.random) o.steps = random_steps(o.random, o.seed, o.memory);
    return o;
}

// A memory and the kernel's heap, under the same steps.
class Run {
  public:
    Run(Scheme scheme, const Options& o)
        : memory(scheme, static_cast<uint32_t>(o.memory),
                 std::vector<uint32_t>(o.fixed.begin(), o.fixed.end())),
          heap(kSchemes[static_cast<size_t>(scheme)],
               static_cast<uint32_t>((scheme == Scheme::buddy
                                          ? std::bit_floor(static_cast<unsigned long>(o.memory))
                                          : static_cast<unsigned long>(o.memory)) *
                                     static_cast<unsigned long>(o.unit))),
          buddies_(scheme == Scheme::buddy),
          unit_(static_cast<uint32_t>(o.unit)) {}

    std::string step(const Step& step) {
        if (step.kind == Step::compact) {
            heap.compact();
            return memory.compact() ? "programs move down" : "these partitions stay";
        }
        if (step.kind == Step::come) return come(step);
        if (!memory.has(step.owner)) return "is not there";
        heap.give(step.owner);
        const uint32_t joined = memory.give(step.owner);
        if (buddies_) return "joins " + std::to_string(joined) + " buddies";
        constexpr const char* kJoined[] = {"neither side free", "joins the hole below",
                                           "joins the hole above", "joins both holes"};
        ++merges[joined];
        return kJoined[joined];
    }

    Memory memory;
    KernelHeap heap;
    uint32_t came = 0, refused = 0, merges[4] = {};

  private:
    std::string come(const Step& step) {
        if (memory.has(step.owner)) lab::refuse("'%s' is there already", step.owner.c_str());
        heap.take(step.owner, step.units * unit_);
        ++came;
        if (memory.take(step.owner, step.units)) {
            for (const Piece& piece : memory.pieces())
                if (piece.owner == step.owner) return "at " + std::to_string(piece.start);
        }
        ++refused;
        const Fragmentation f = memory.fragmentation();
        return "no: " + std::to_string(f.free) + " free, largest " + std::to_string(f.largest);
    }
    bool buddies_;
    uint32_t unit_;
};

// A text for people, null for programs, where there is no heap of that kind.
lab::Cell of_heap(KernelHeap& heap, bool internal) {
    if (!heap.exists()) return {"-", lab::Raw{"null"}};
    const HeapFigures f = heap.figures();
    return internal ? f.used - f.requested : f.free - f.largest;
}

std::string map_of(const Memory& memory) {
    std::string text;
    for (const Piece& piece : memory.pieces()) {
        text += (text.empty() ? "" : " ") + (piece.hole() ? "-" : piece.owner) + ":" +
                std::to_string(piece.size);
        if (!piece.hole() && piece.wanted != piece.size)
            text += "(" + std::to_string(piece.wanted) + ")";
    }
    return text;
}

lab::Object input_of(const Options& o) {
    std::vector<std::string> steps;
    for (const Step& step : o.steps) steps.push_back(step.text());
    lab::Object input;
    return input.add("memory", o.memory)
        .add("fixed", o.fixed)
        .add("unit", o.unit)
        .add("steps", steps);
}

int show_steps(const Options& o, Scheme scheme) {
    Run run(scheme, o);
    lab::Table table({{"step", "step"},
                      {"result", "result"},
                      {"internal", "internal"},
                      {"external", "external"},
                      {"kernel_internal", "kernel int"},
                      {"kernel_external", "kernel ext"},
                      {"memory", "memory"}});
    for (const Step& step : o.steps) {
        const std::string result = run.step(step);
        const Fragmentation f = run.memory.fragmentation();
        table.row({step.text(), result, f.internal(), f.external(), of_heap(run.heap, true),
                   of_heap(run.heap, false), map_of(run.memory)});
    }
    if (!o.json) return table.print(), 0;
    lab::Object()
        .add("lab", "lab-partitions")
        .add("input", input_of(o).add("scheme", o.scheme))
        .add("rows", table.rows())
        .print();
    return 0;
}

int compare(const Options& o) {
    lab::Table table({{"scheme", "scheme"},
                      {"came", "came"},
                      {"refused", "refused"},
                      {"looked_at", "looked at"},
                      {"holes", "holes"},
                      {"free", "free"},
                      {"largest", "largest"},
                      {"internal", "internal"},
                      {"external", "external"},
                      {"kernel_internal", "kernel int"},
                      {"kernel_external", "kernel ext"},
                      {"merged", "below/above/both/neither"}});
    for (size_t i = 0; i < std::size(kSchemes); ++i) {
        Run run(static_cast<Scheme>(i), o);
        for (const Step& step : o.steps) run.step(step);
        const Fragmentation f = run.memory.fragmentation();
        const bool tells = i >= static_cast<size_t>(Scheme::first_fit) &&
                           i < static_cast<size_t>(Scheme::quick_fit);
        const std::vector<uint32_t> merged{run.merges[1], run.merges[2], run.merges[3],
                                           run.merges[0]};
        std::string shown = "-";
        if (tells) {
            shown.clear();
            for (uint32_t count : merged)
                shown += (shown.empty() ? "" : "/") + std::to_string(count);
        }
        table.row({std::string(kSchemes[i]), run.came, run.refused, run.memory.searched(), f.holes,
                   f.free, f.largest, f.internal(), f.external(), of_heap(run.heap, true),
                   of_heap(run.heap, false),
                   tells ? lab::Cell(shown, merged) : lab::Cell(shown, lab::Raw{"null"})});
    }
    if (!o.json) {
        table.print();
        std::printf("%zu steps in %ld units; the kernel's heap in bytes, %ld a unit\n",
                    o.steps.size(), o.memory, o.unit);
        return 0;
    }
    lab::Object()
        .add("lab", "lab-partitions")
        .add("input", input_of(o))
        .add("rows", table.rows())
        .print();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const Options o = parse(argc, argv);
    for (size_t i = 0; i < std::size(kSchemes); ++i)
        if (o.scheme == kSchemes[i]) return show_steps(o, static_cast<Scheme>(i));
    return compare(o);
}

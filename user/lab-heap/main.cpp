// lab-heap: dynamic partitions by the classes that the kernel's heap uses (mm/heap), on memory of
// this process. With --policy the blocks and holes after each step; without it the same random
// requests for each placement, every block filled and compared at the end.
#include <algorithm>
#include <cstring>
#include <map>
#include <memory>

#include "mm/heap/placement_list.hpp"
#include "user/lab/command.hpp"
#include "user/lab/random.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-heap [--area BYTES] [--steps N] [--seed S] [--json]\n"
    "       lab-heap --policy NAME [--area BYTES] [--json] STEP... | --random N [--seed S]\n"
    "NAME: first-fit next-fit best-fit worst-fit quick-fit buddy. STEP: NAME=BYTES allocates (16 "
    "more\n"
    "for a header), -NAME gives back, ! compacts. An area (262144 bytes) is a power of two from "
    "256 "
    "on.\n"
    "Without --policy: all of them under N (20000) random requests. looked: holes, a request; "
    "int(ernal):\n"
    "thousandths of what is in use that nobody asked for; ext(ernal): of what is free, not in the "
    "largest\n"
    "hole; then one compaction: how many blocks moved, and the largest hole.\n"
    "    # lab-heap --policy first-fit --area 1024 a=100 b=100 c=100 -a -c d=40 -b !\n"
    "    step   result                memory\n"
    "    a=100                        a:128 -:848\n"
    "    b=100                        a:128 b:128 -:720\n"
    "    c=100                        a:128 b:128 c:128 -:592\n"
    "    -a     neither side free     -:128 b:128 c:128 -:592\n"
    "    -c     joins the hole above  -:128 b:128 -:720\n"
    "    d=40                         d:64 -:64 b:128 -:720\n"
    "    -b     joins both holes      d:64 -:912\n"
    "    !      0 blocks moved        d:64 -:912\n"
    "    4 holes looked at\n";

struct Options {
    std::string policy;
    long area = 256 * 1024, steps = 20'000, random = 0, seed = 1;
    bool json = false;
    std::vector<std::string> list;
};

// Blocks of up to a sixteenth of the area; a little more are taken than given back.
std::vector<std::string> random_steps(long count, long seed, long area) {
    lab::Random random(seed);
    std::vector<std::string> steps, live;
    for (long i = 0; i < count; ++i) {
        if (live.empty() || random.chance(55)) {
            live.push_back("p" + std::to_string(i));
            steps.push_back(live.back() + "=" + std::to_string(random.between(1, area / 16)));
        } else {
            std::swap(live[static_cast<size_t>(random.between(0, std::ssize(live) - 1))],
                      live.back());
            steps.push_back("-" + live.back());
            live.pop_back();
        }
    }
    return steps;
}

Options parse(int argc, char** argv) {
    Options o;
    o.list = lab::Command(kHelp)
                 .choice("--policy", o.policy,
                         {std::begin(Placements::kNames), std::end(Placements::kNames)})
                 .number("--area", o.area, 256, 64l << 20)
                 .number("--steps", o.steps, 1, 100'000'000)
                 .random(o.random, 100'000, o.seed)
                 .flag("--json", o.json)
                 .parse(argc, argv);
    if (o.area & (o.area - 1)) lab::refuse("--area wants a power of two, not %ld", o.area);
    if (!o.list.empty() && o.random) lab::refuse("either steps, or --random N of them");
    if (o.random) o.list = random_steps(o.random, o.seed, o.area);
    if (o.policy.empty() && !o.list.empty()) lab::refuse("steps want --policy NAME; see --help");
    if (!o.policy.empty() && o.list.empty())
        lab::refuse("--policy wants steps, like a=100 b=50 -a !; or --random N");
    return o;
}

// One placement and its only area.
struct Heap {
    Heap(uint32_t which, long bytes)
        : place(set.at(which)),
          area(std::aligned_alloc(static_cast<size_t>(bytes), static_cast<size_t>(bytes))) {
        place.add(area, static_cast<uint32_t>(bytes));
    }
    ~Heap() { std::free(area); }
    Placements set;
    Placement& place;
    void* area;
};

// --- the map after each step

using Blocks = std::map<std::string, void*>;

struct Map final : HeapVisitor {
    explicit Map(const Blocks& blocks) : names(blocks) {}
    void visit(const HeapPiece& piece) override {
        std::string name = piece.hole ? "-" : "?";
        for (const auto& [block, at] : names)
            if (at == piece.start && !piece.hole) name = block;
        text += (text.empty() ? "" : " ") + name + ":" + std::to_string(piece.bytes);
    }
    const Blocks& names;
    std::string text;
};

std::string compact(Heap& heap, Blocks& blocks) {
    TaggedHeap* compactable = heap.place.compactable();
    if (!compactable) return "buddies can't move";
    unsigned moved = 0;
    compactable->compact([&](void* from, void* to) {
        for (auto& [name, at] : blocks)
            if (at == from) at = to, ++moved;
    });
    return std::to_string(moved) + " blocks moved";
}

std::string give(Heap& heap, void* block) {
    const HeapFigures before = heap.place.figures();
    heap.place.give(block);
    const HeapFigures after = heap.place.figures();
    constexpr const char* kMerges[] = {"joins the hole below", "joins the hole above",
                                       "joins both holes", "neither side free"};
    for (size_t i = 0; i < std::size(kMerges); ++i)
        if (after.merges[i] != before.merges[i])
            return heap.place.compactable() ? kMerges[i]
                   : i == 3                 ? "its buddy is not free"
                                            : "joins its buddy";
    return "kept for the next of its size";  // quick fit
}

std::string run_step(Heap& heap, Blocks& blocks, const std::string& step) {
    const size_t equals = step.find('=');
    const std::string name = step[0] == '-' ? step.substr(1) : step.substr(0, equals);
    if (step == "!") return compact(heap, blocks);
    if (step[0] == '-') {
        if (!blocks.contains(name)) return "is not there";
        const std::string result = give(heap, blocks.at(name));
        blocks.erase(name);
        return result;
    }
    if (equals == 0 || equals == step.npos)
        lab::refuse("a step is NAME=BYTES, -NAME or !; not '%s'", step.c_str());
    if (blocks.contains(name)) lab::refuse("'%s' is there already", name.c_str());
    const long bytes = lab::number("BYTES", step.substr(equals + 1), 1, 64l << 20);
    void* block = heap.place.take(static_cast<uint32_t>(bytes));
    if (!block) return "no hole is large enough";
    blocks[name] = block;
    return "";
}

int show_steps(const Options& o) {
    Heap heap(*Placements::index_of(o.policy), o.area);
    Blocks blocks;
    lab::Table table({{"step", "step"}, {"result", "result"}, {"memory", "memory"}});
    for (const std::string& step : o.list) {
        // An event of the trace, at which a debugger can stop (scripts/debug --at).
        if (!o.random) lab::write_file("/proc/trace_marker", step);
        const std::string result = run_step(heap, blocks, step);
        Map map(blocks);
        heap.place.visit(map);
        table.row({step, result, map.text});
    }
    const uint64_t searched = heap.place.figures().searched;
    if (!o.json) {
        table.print();
        printf("%llu holes looked at\n", static_cast<unsigned long long>(searched));
        return 0;
    }
    lab::Object input;
    input.add("policy", o.policy).add("area", o.area).add("steps", o.list);
    lab::Object()
        .add("lab", "lab-heap")
        .add("input", input)
        .add("looked_at", searched)
        .add("rows", table.rows())
        .print();
    return 0;
}

// --- the comparison

struct Block {
    unsigned char* at;
    uint32_t bytes;
    unsigned char tag;
};

// Lifetimes and sizes as programs have them: mostly small, some large, in no order.
class Load {
  public:
    Load(Placement& place, long seed)
        : place_(place), state_(static_cast<unsigned long long>(seed) * 2 + 1) {}

    void step() {
        if (random() % 16 < 9 || live.empty()) {
            const uint32_t bytes = random() % 8 ? 16 + random() % 240 : 256 + random() % 3840;
            auto* at = static_cast<unsigned char*>(place_.take(bytes));
            if (!at) return drop();
            const auto tag = static_cast<unsigned char>(random());
            std::memset(at, tag, bytes);
            live.push_back({at, bytes, tag});
        } else {
            drop();
        }
    }
    bool intact() const {
        return std::all_of(live.begin(), live.end(), [](const Block& b) {
            return std::all_of(b.at, b.at + b.bytes, [&](unsigned char c) { return c == b.tag; });
        });
    }
    std::vector<Block> live;

  private:
    void drop() {
        if (live.empty()) return;
        std::swap(live[random() % live.size()], live.back());
        place_.give(live.back().at);
        live.pop_back();
    }
    uint32_t random() {
        state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
        return static_cast<uint32_t>(state_ >> 33);
    }
    Placement& place_;
    unsigned long long state_;
};

struct Compaction {
    uint32_t moved = 0, bytes = 0, largest = 0;
};
Compaction compact(Heap& heap, Load& load) {
    Compaction result;
    if (TaggedHeap* compactable = heap.place.compactable()) {
        std::map<void*, Block*> by_address;
        for (Block& block : load.live) by_address[block.at] = &block;
        compactable->compact([&](void* from, void* to) {
            Block& block = *by_address.at(from);
            block.at = static_cast<unsigned char*>(to);
            ++result.moved;
            result.bytes += block.bytes;
        });
    }
    result.largest = heap.place.figures().largest;
    return result;
}

int compare(const Options& o) {
    lab::Table table({{"policy", "policy"},
                      {"failed", "failed"},
                      {"looked", "looked"},
                      {"holes", "holes"},
                      {"free", "free"},
                      {"largest", "largest"},
                      {"internal", "int"},
                      {"external", "ext"},
                      {"merged", "below/above/both/neither"},
                      {"moved", "moved"},
                      {"largest_then", "largest then"}});
    bool intact = true;
    for (uint32_t index = 0; index < Placements::kCount; ++index) {
        Heap heap(index, o.area);
        Load load(heap.place, o.seed);
        for (long i = 0; i < o.steps; ++i) load.step();
        const HeapFigures f = heap.place.figures();
        const std::vector<uint32_t> merges(std::begin(f.merges), std::end(f.merges));
        std::string shown;
        for (uint32_t count : merges) shown += (shown.empty() ? "" : "/") + std::to_string(count);
        const double looked = double(f.searched) / double(std::max<uint64_t>(f.requests, 1));
        const Compaction c = compact(heap, load);
        table.row({std::string(heap.place.name()), f.failed, lab::Decimal{looked, 2}, f.holes,
                   f.free, f.largest, f.internal_fragmentation(), f.external_fragmentation(),
                   lab::Cell(shown, merges), c.moved, c.largest});
        intact &= load.intact();
    }
    if (!intact) lab::fail("a block has lost its contents");
    if (!o.json) {
        table.print();
        puts("every block kept its contents");
        return 0;
    }
    lab::Object input;
    input.add("area", o.area).add("steps", o.steps).add("seed", o.seed);
    lab::Object().add("lab", "lab-heap").add("input", input).add("rows", table.rows()).print();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const Options o = parse(argc, argv);
    return o.policy.empty() ? compare(o) : show_steps(o);
}

// lab-heap: dynamic partitions by the classes that the kernel's heap uses (mm/heap), on memory of
// this process.
//   lab-heap [--area BYTES] [--steps N] [--seed N]     the same requests for each placement, a table
//   lab-heap --policy NAME [--area BYTES] STEP...      the map of blocks and holes after each step
// STEP: NAME=BYTES allocates, -NAME gives back, ! compacts. BYTES are without the 16 of a header.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mm/heap/placement_list.hpp"

namespace {

struct Options {
    std::string policy;
    unsigned long area = 256 * 1024, steps = 20'000, seed = 1;
    std::vector<std::string> list;
};

[[noreturn]] void usage() {
    std::fputs(
        "usage: lab-heap [--area BYTES] [--steps N] [--seed N]\n"
        "       lab-heap --policy NAME [--area BYTES] STEP...\n"
        "NAME: first-fit next-fit best-fit worst-fit quick-fit buddy\n"
        "STEP: NAME=BYTES allocates, -NAME gives back, ! compacts\n",
        stderr);
    std::exit(2);
}

unsigned long number(const char* text) {
    char* end;
    const unsigned long value = std::strtoul(text, &end, 10);
    if (end == text || *end) usage();
    return value;
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word.substr(0, 2) != "--") {
            options.list.push_back(word);
            continue;
        }
        if (++i == argc) usage();
        if (word == "--policy")
            options.policy = argv[i];
        else if (word == "--area")
            options.area = number(argv[i]);
        else if (word == "--steps")
            options.steps = number(argv[i]);
        else if (word == "--seed")
            options.seed = number(argv[i]);
        else
            usage();
    }
    if (options.list.empty() != options.policy.empty()) usage();
    if (options.area < 256 || options.area > 64ul << 20 || options.area & (options.area - 1)) {
        std::fputs("lab-heap: an area is a power of two from 256 bytes on\n", stderr);
        std::exit(2);
    }
    return options;
}

// One placement and its only area.
struct Heap {
    Heap(uint32_t which, unsigned long bytes)
        : index(which), place(set.at(which)), area(std::aligned_alloc(bytes, bytes)) {
        place.add(area, static_cast<uint32_t>(bytes));
    }
    ~Heap() { std::free(area); }
    Placements set;
    uint32_t index;
    Placement& place;
    void* area;
};

// --- the map after each step

struct Map final : HeapVisitor {
    explicit Map(const std::map<std::string, void*>& blocks) : names(blocks) {}
    void visit(const HeapPiece& piece) override {
        std::string name = piece.hole ? "-" : "?";
        for (const auto& [block, at] : names)
            if (at == piece.start && !piece.hole) name = block;
        std::printf(" %s:%u", name.c_str(), piece.bytes);
    }
    const std::map<std::string, void*>& names;
};

void run_step(Heap& heap, std::map<std::string, void*>& blocks, const std::string& step) {
    const size_t equals = step.find('=');
    if (step == "!") {
        TaggedHeap* compactable = heap.place.compactable();
        if (!compactable) return static_cast<void>(std::printf(" (buddies can't move)"));
        compactable->compact([&](void* from, void* to) {
            for (auto& [name, at] : blocks)
                if (at == from) at = to;
        });
    } else if (step[0] == '-' && blocks.count(step.substr(1))) {
        heap.place.give(blocks.at(step.substr(1)));
        blocks.erase(step.substr(1));
    } else if (equals != std::string::npos && equals > 0 && !blocks.count(step.substr(0, equals))) {
        const auto bytes = static_cast<uint32_t>(number(step.c_str() + equals + 1));
        void* block = heap.place.take(bytes);
        block ? static_cast<void>(blocks[step.substr(0, equals)] = block)
              : static_cast<void>(std::printf(" (no hole is large enough)"));
    } else {
        std::fprintf(stderr, "lab-heap: what is '%s'?\n", step.c_str());
        std::exit(2);
    }
}

int show_steps(const Options& options) {
    const std::optional<uint32_t> index = Placements::index_of(options.policy);
    if (!index) usage();
    Heap heap(*index, options.area);
    std::map<std::string, void*> blocks;
    for (const std::string& step : options.list) {
        std::printf("%-8s", step.c_str());
        run_step(heap, blocks, step);
        Map map(blocks);
        heap.place.visit(map);
        std::printf("\n");
    }
    const HeapFigures f = heap.place.figures();
    std::printf("merged: below %u, above %u, both %u, neither %u; %llu holes looked at\n",
                f.merges[0], f.merges[1], f.merges[2], f.merges[3],
                static_cast<unsigned long long>(f.searched));
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
    Load(Placement& place, unsigned long seed) : place_(place), state_(seed * 2 + 1) {}

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

int compare(const Options& options) {
    std::printf("area of %lu bytes, %lu steps, seed %lu; fragmentation in thousandths\n",
                options.area, options.steps, options.seed);
    std::printf("%-10s %6s %7s %6s %8s %8s %4s %4s  %-21s %s\n", "", "failed", "looked", "holes",
                "free", "largest", "int", "ext", "merged bel/ab/2/none",
                "compacted: moved, largest");
    bool intact = true;
    for (uint32_t index = 0; index < Placements::kCount; ++index) {
        Heap heap(index, options.area);
        Load load(heap.place, options.seed);
        for (unsigned long i = 0; i < options.steps; ++i) load.step();
        const HeapFigures f = heap.place.figures();
        const std::string merges = std::to_string(f.merges[0]) + "/" + std::to_string(f.merges[1]) +
                                   "/" + std::to_string(f.merges[2]) + "/" +
                                   std::to_string(f.merges[3]);
        const auto looked = static_cast<uint32_t>(
            100 * f.searched / std::max(1ull, static_cast<unsigned long long>(f.requests)));
        const Compaction c = compact(heap, load);
        std::printf("%-10s %6u %4u.%02u %6u %8u %8u %4u %4u  %-21s %u blocks, %u\n",
                    heap.place.name().data(), static_cast<uint32_t>(f.failed), looked / 100,
                    looked % 100, f.holes, f.free, f.largest, f.internal_fragmentation(),
                    f.external_fragmentation(), merges.c_str(), c.moved, c.largest);
        intact &= load.intact();
    }
    std::puts(intact ? "every block kept its contents" : "CONTENTS WERE LOST");
    return intact ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv);
    return options.policy.empty() ? compare(options) : show_steps(options);
}

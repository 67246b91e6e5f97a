// The organisations of free space (fs/free_space) on a small disk in memory: step by step, or all
// under the same load, with what each reads and writes.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>

#include "fs/free_spaces.hpp"
#include "user/lab-fs/lab.hpp"
#include "user/lab/random.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-fs free [--blocks N] [--steps N] [--seed S] [--json]\n"
    "       lab-fs free --policy NAME [--blocks N] [--group N] [--columns N] [--json]\n"
    "                   STEP... | --random N [--seed S]\n"
    "NAME: table list bitmap grouped. STEP: FILE=BLOCKS allocates, -FILE gives back. Without steps "
    "all\n"
    "four under one load: files of 1 to 32 blocks come and go on a disk of N blocks (10000) that "
    "is\n"
    "four fifths full. With them: what each gets and gives back, the blocks that are read and "
    "written\n"
    "for it, and what the organisation looks like then. The bitmap names blocks as the course "
    "does:\n"
    "row i, column j of n columns (32) is b = n(i-1)+j, counted from 1; block 1 is the bitmap.\n"
    "    # lab-fs free --policy bitmap --blocks 64 --columns 16 a=3 -a\n"
    "    i=1 1000000000000000\n"
    "    ...\n"
    "    a=3: gets (1,2) (1,3) (1,4): b 2-4; 60 free; 1 read, 1 written\n"
    "    i=1 1111000000000000\n"
    "    ...\n"
    "    -a: gives back (1,2) (1,3) (1,4): b 2-4; 63 free; 0 read, 1 written\n"
    "    ...\n";

constexpr uint32_t kWords = 128;  // blocks of 512 bytes

// The block read last stays at hand, as a driver's buffer does: reading it again costs nothing.
struct Store final : BlockStore {
    explicit Store(uint32_t blocks) : contents(blocks, std::vector<uint32_t>(kWords)) {}
    uint32_t* read(uint32_t block) override {
        reads += block != latest;
        latest = block;
        return contents.at(block).data();
    }
    uint32_t* overwrite(uint32_t block) override {
        latest = block;
        return contents.at(block).data();
    }
    void write(uint32_t) override { ++writes; }
    uint32_t words() const override { return kWords; }

    std::vector<std::vector<uint32_t>> contents;
    uint32_t latest = UINT32_MAX;
    unsigned long reads = 0, writes = 0;
};

struct Disk {
    Disk(std::string_view name, uint32_t blocks, uint32_t group)
        : store(blocks), space(all.find(name)) {
        all.set_tunable("grouped_group", std::array{group});
        if (blocks <= space->reserved(blocks, kWords))
            lab::refuse("a disk of %u blocks is too small for that", blocks);
        space->format(store, blocks);
        store.reads = store.writes = 0;
    }
    // In as many pieces as it takes; fewer blocks on a full disk.
    std::vector<BlockRun> take(uint32_t wanted) {
        std::vector<BlockRun> runs;
        while (wanted) {
            const BlockRun run = space->allocate(wanted);
            if (!run.count) break;
            wanted -= run.count;
            if (!runs.empty() && runs.back().first + runs.back().count == run.first)
                runs.back().count += run.count;
            else
                runs.push_back(run);
        }
        return runs;
    }
    void give(const std::vector<BlockRun>& runs) {
        for (const BlockRun& run : runs) space->release(run);
    }

    Store store;
    FreeSpaces all;
    FreeTable& table = all.get<FreeTable>();
    FreeList& list = all.get<FreeList>();
    FreeBitmap& bits = all.get<FreeBitmap>();
    GroupedLinking& grouped = all.get<GroupedLinking>();
    FreeSpace* space;
};

std::string run_text(uint32_t first, uint32_t count) {
    return std::to_string(first) + (count > 1 ? "-" + std::to_string(first + count - 1) : "");
}

// Blocks from 0; in the bitmap (i, j) and b, counted from 1.
std::string text(const std::vector<BlockRun>& runs, uint32_t columns) {
    constexpr uint32_t kShown = 4;
    if (runs.empty()) return "nothing";
    std::string blocks, places;
    uint32_t shown = 0;
    for (const BlockRun& run : runs) {
        blocks += (blocks.empty() ? "" : " ") + run_text(run.first + (columns != 0), run.count);
        for (uint32_t i = 0; columns && i < run.count; ++i) {
            if (++shown > kShown) continue;
            const BitmapPlace place = place_of(run.first + i + 1, columns);
            places += "(" + std::to_string(place.row) + "," + std::to_string(place.column) + ") ";
        }
    }
    if (!columns) return blocks;
    places.back() = shown > kShown ? ' ' : ':';
    return places + (shown > kShown ? "...: b " : " b ") + blocks;
}

std::string picture(Disk& disk, uint32_t blocks, uint32_t columns) {
    std::string text;
    if (disk.space == static_cast<FreeSpace*>(&disk.table)) {
        for (uint32_t i = 0; i < disk.table.entries(); ++i) {
            const BlockRun run = disk.table.entry(i);
            text += "entry " + std::to_string(i) + ": from block " + std::to_string(run.first) +
                    ", " + std::to_string(run.count) + " free\n";
        }
    } else if (disk.space == static_cast<FreeSpace*>(&disk.list)) {
        uint32_t block = disk.list.head();
        text = std::to_string(block);
        for (int i = 0; i < 8 && block; ++i) {
            block = disk.store.contents[block][0];
            text += " -> " + std::to_string(block);
        }
        text += block ? " ...\n" : "\n";
    } else if (disk.space == static_cast<FreeSpace*>(&disk.bits)) {
        for (uint32_t b = 1; b <= blocks; b += columns) {
            text += "i=" + std::to_string(place_of(b, columns).row) + "\t";
            for (uint32_t at = b - 1; at < std::min(b - 1 + columns, blocks); ++at)
                text += disk.store.contents[at / (kWords * 32)][at / 32 % kWords] >> at % 32 & 1
                            ? '1'
                            : '0';
            text += '\n';
        }
    } else {
        text = "stack:";
        for (uint32_t i = disk.grouped.depth(); i-- > 0;)
            text += " " + std::to_string(disk.grouped.stack(i));
        text += '\n';
    }
    return text;
}

struct Options {
    std::string policy;
    long blocks = 0, group = 10, columns = 32, steps = 20'000, random = 0, seed = 1;
    bool json = false;
    std::vector<std::string> list;
};

// Files of up to a tenth of the disk come and go.
std::vector<std::string> random_steps(const Options& o) {
    lab::Random random(o.seed);
    std::vector<std::string> steps, files;
    for (long n = 0; n < o.random; ++n) {
        if (files.empty() || random.chance(55)) {
            files.push_back("f" + std::to_string(n));
            steps.push_back(files.back() + "=" +
                            std::to_string(random.between(1, std::max(o.blocks / 10, 1l))));
        } else {
            std::swap(
                files[static_cast<size_t>(random.between(0, static_cast<long>(files.size()) - 1))],
                files.back());
            steps.push_back("-" + files.back());
            files.pop_back();
        }
    }
    return steps;
}

using Files = std::map<std::string, std::vector<BlockRun>>;

std::string take_step(Disk& disk, Files& files, const std::string& step, uint32_t columns,
                      long blocks) {
    const size_t equals = step.find('=');
    if (equals != std::string::npos && equals > 0) {
        const std::string name = step.substr(0, equals);
        if (files.count(name)) lab::refuse("%s has blocks already", name.c_str());
        files[name] = disk.take(
            static_cast<uint32_t>(lab::number("BLOCKS", step.substr(equals + 1), 1, blocks)));
        return "gets " + text(files[name], columns);
    }
    const std::string name = step.substr(1);
    if (step[0] != '-' || !files.count(name))
        lab::refuse("a step is FILE=BLOCKS, or -FILE of one that has blocks; not '%s'",
                    step.c_str());
    const std::string what = "gives back " + text(files[name], columns);
    disk.give(files[name]);
    files.erase(name);
    return what;
}

int run_steps(const Options& o) {
    const auto blocks = static_cast<uint32_t>(o.blocks);
    Disk disk(o.policy, blocks, static_cast<uint32_t>(o.group));
    disk.store.latest = UINT32_MAX;  // each block that a step needs is read where one sees it
    const uint32_t columns = o.policy == "bitmap" ? static_cast<uint32_t>(o.columns) : 0;
    Files files;
    lab::Table table({{"step", "step"},
                      {"result", "result"},
                      {"free", "free"},
                      {"read", "read"},
                      {"written", "written"}});
    if (!o.json) std::fputs(picture(disk, blocks, columns).c_str(), stdout);
    for (const std::string& step : o.list) {
        const unsigned long reads = disk.store.reads, writes = disk.store.writes;
        const std::string what = take_step(disk, files, step, columns, o.blocks);
        const unsigned long read = disk.store.reads - reads, written = disk.store.writes - writes;
        table.row({step, what, disk.space->free_blocks(), read, written});
        if (o.json) continue;
        std::printf("%s: %s; %u free; %lu read, %lu written\n%s", step.c_str(), what.c_str(),
                    disk.space->free_blocks(), read, written,
                    picture(disk, blocks, columns).c_str());
    }
    if (o.json)
        lab::Object()
            .add("lab", "lab-fs free")
            .add("input", lab::Object()
                              .add("policy", o.policy)
                              .add("blocks", o.blocks)
                              .add("group", o.group)
                              .add("columns", o.columns)
                              .add("steps", o.list))
            .add("rows", table.rows())
            .print();
    return 0;
}

// Files of 1 to 32 blocks come and go on a disk that is four fifths full.
void add_load(lab::Table& table, std::string_view name, const Options& o) {
    const auto blocks = static_cast<uint32_t>(o.blocks);
    Disk disk(name, blocks, GroupedLinking::kMostInGroup);
    std::mt19937 random(static_cast<uint32_t>(o.seed));
    std::vector<std::vector<BlockRun>> files;
    unsigned long made = 0, pieces = 0;
    for (long step = 0; step < o.steps; ++step) {
        if (disk.space->free_blocks() > blocks / 5) {
            files.push_back(disk.take(1 + random() % 32));
            ++made;
            pieces += files.back().size();
        } else {
            std::swap(files[random() % files.size()], files.back());
            disk.give(files.back());
            files.pop_back();
        }
    }
    table.row({std::string(name), disk.space->reserved(blocks, kWords), disk.store.reads,
               disk.store.writes, lab::Decimal{double(pieces) / double(made), 2}, made});
}

int compare(const Options& o) {
    lab::Table table({{"policy", "policy"},
                      {"own", "own"},
                      {"read", "read"},
                      {"written", "written"},
                      {"pieces", "pieces a file"},
                      {"files", "files"}});
    for (std::string_view name : FreeSpaces::kNames) add_load(table, name, o);
    if (o.json) {
        lab::Object()
            .add("lab", "lab-fs free")
            .add("input",
                 lab::Object().add("blocks", o.blocks).add("steps", o.steps).add("seed", o.seed))
            .add("rows", table.rows())
            .print();
        return 0;
    }
    table.print();
    std::puts("own: blocks that the organisation keeps for itself; read, written: blocks");
    return 0;
}

}  // namespace

int free_space(int argc, char** argv) {
    Options o;
    o.list = lab::Command(kHelp)
                 .choice("--policy", o.policy,
                         {std::begin(FreeSpaces::kNames), std::end(FreeSpaces::kNames)})
                 .number("--blocks", o.blocks, 16, 1'000'000)
                 .number("--group", o.group, 2, GroupedLinking::kMostInGroup)
                 .number("--columns", o.columns, 1, 256)
                 .number("--steps", o.steps, 1, 100'000'000)
                 .random(o.random, 100'000, o.seed)
                 .flag("--json", o.json)
                 .parse(argc, argv);
    const bool steps = !o.list.empty() || o.random;
    if (!o.list.empty() && o.random) lab::refuse("either steps, or --random N of them");
    if (steps && o.policy.empty())
        lab::refuse("steps need --policy: %s", "table list bitmap grouped");
    if (!steps && !o.policy.empty())
        lab::refuse("--policy %s needs steps, like a=3 b=4 -a, or --random N", o.policy.c_str());
    if (!o.blocks) o.blocks = steps ? 64 : 10'000;
    if (o.random) o.list = random_steps(o);
    return steps ? run_steps(o) : compare(o);
}

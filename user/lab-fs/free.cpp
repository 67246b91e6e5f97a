// The organisations of free space (fs/free_space) on a small disk in memory: step by step, or all
// under the same load, with what each reads and writes.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>

#include "fs/free_spaces.hpp"
#include "lab.hpp"

namespace {

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
        if (!space) usage();
        all.set_tunable("grouped_group", std::array{group});
        if (blocks <= space->reserved(blocks, kWords)) fail("that disk is too small");
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
    GroupedLinking& grouped = all.get<GroupedLinking>();
    FreeSpace* space;
};

std::string text(const std::vector<BlockRun>& runs) {
    std::string out;
    for (const BlockRun& run : runs) {
        if (!out.empty()) out += ' ';
        out += std::to_string(run.first);
        if (run.count > 1) out += "-" + std::to_string(run.first + run.count - 1);
    }
    return out.empty() ? "nothing" : out;
}

void show(Disk& disk, uint32_t blocks) {
    if (disk.space == &disk.table) {
        for (uint32_t i = 0; i < disk.table.entries(); ++i) {
            const BlockRun run = disk.table.entry(i);
            std::printf("    entry %u: from block %u, %u free\n", i, run.first, run.count);
        }
    } else if (disk.space == &disk.list) {
        std::printf("    %u", disk.list.head());
        uint32_t block = disk.list.head();
        for (int i = 0; i < 8 && block; ++i) {
            block = disk.store.contents[block][0];
            std::printf(" -> %u", block);
        }
        std::puts(block ? " ..." : "");
    } else if (disk.space == &disk.all.get<FreeBitmap>()) {
        for (uint32_t b = 1; b <= blocks; b += 32) {
            std::printf("    i=%-3u ", place_of(b, 32).row);
            for (uint32_t at = b - 1; at < std::min(b + 31, blocks); ++at)
                std::putchar(
                    disk.store.contents[at / (kWords * 32)][at / 32 % kWords] >> at % 32 & 1 ? '1'
                                                                                             : '0');
            std::putchar('\n');
        }
    } else if (disk.space == &disk.grouped) {
        std::printf("    stack:");
        for (uint32_t i = disk.grouped.depth(); i-- > 0;) std::printf(" %u", disk.grouped.stack(i));
        std::putchar('\n');
    }
}

int run_steps(const std::string& policy, uint32_t blocks, uint32_t group,
              const std::vector<std::string>& steps) {
    Disk disk(policy, blocks, group);
    disk.store.latest = UINT32_MAX;  // each block that a step needs is read where one sees it
    std::map<std::string, std::vector<BlockRun>> files;
    show(disk, blocks);
    for (const std::string& step : steps) {
        const size_t equals = step.find('=');
        const unsigned long reads = disk.store.reads, writes = disk.store.writes;
        std::string what;
        if (equals != std::string::npos && equals > 0) {
            const std::string name = step.substr(0, equals);
            if (files.count(name)) fail(name + " has blocks already");
            files[name] = disk.take(number(step.c_str() + equals + 1));
            what = "gets " + text(files[name]);
        } else if (step.size() > 1 && step[0] == '-' && files.count(step.substr(1))) {
            const std::string name = step.substr(1);
            what = "gives back " + text(files[name]);
            disk.give(files[name]);
            files.erase(name);
        } else {
            usage();
        }
        std::printf("%s: %s; %u free; %lu read, %lu written\n", step.c_str(), what.c_str(),
                    disk.space->free_blocks(), disk.store.reads - reads,
                    disk.store.writes - writes);
        show(disk, blocks);
    }
    return 0;
}

// Files of 1 to 32 blocks come and go on a disk that is four fifths full.
int compare(uint32_t blocks, unsigned long steps, unsigned long seed) {
    std::printf("%-8s %9s %9s %9s %13s %9s\n", "", "own", "read", "written", "pieces a file",
                "files");
    for (std::string_view name : FreeSpaces::kNames) {
        Disk disk(name, blocks, GroupedLinking::kMostInGroup);
        std::mt19937 random(seed);
        std::vector<std::vector<BlockRun>> files;
        unsigned long made = 0, pieces = 0;
        for (unsigned long step = 0; step < steps; ++step) {
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
        std::printf("%-8s %9u %9lu %9lu %13.2f %9lu\n", name.data(),
                    disk.space->reserved(blocks, kWords), disk.store.reads, disk.store.writes,
                    double(pieces) / double(made), made);
    }
    std::puts("own: blocks that the organisation keeps for itself; read, written: blocks");
    return 0;
}

}  // namespace

int free_space(const std::vector<std::string>& words) {
    std::string policy;
    uint32_t blocks = 0, group = 10;
    unsigned long steps = 20'000, seed = 1;
    std::vector<std::string> list;
    for (size_t i = 0; i < words.size(); ++i) {
        if (words[i].substr(0, 2) != "--") {
            list.push_back(words[i]);
            continue;
        }
        if (i + 1 == words.size()) usage();
        const std::string& option = words[i];
        const std::string& value = words[++i];
        if (option == "--policy")
            policy = value;
        else if (option == "--blocks")
            blocks = number(value.c_str());
        else if (option == "--group")
            group = number(value.c_str());
        else if (option == "--steps")
            steps = number(value.c_str());
        else if (option == "--seed")
            seed = number(value.c_str());
        else
            usage();
    }
    if (policy.empty() != list.empty()) usage();
    if (group < 2 || group > GroupedLinking::kMostInGroup) fail("a group has 2 to 100 numbers");
    if (!blocks) blocks = policy.empty() ? 10'000 : 64;
    if (blocks < 16 || blocks > 1'000'000) fail("a disk has 16 to 1000000 blocks");
    return policy.empty() ? compare(blocks, steps, seed) : run_steps(policy, blocks, group, list);
}

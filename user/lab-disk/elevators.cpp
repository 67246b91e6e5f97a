// One set of requests under each elevator: on the disk, where the set waits in the queue until all of
// it is there, and computed by the same class on its own.
#include <sched.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <deque>
#include <thread>

#include "drivers/elevator_list.hpp"
#include "user/lab-disk/lab.hpp"
#include "user/lab/random.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-disk elevators [--cylinders N] [--head C] [--down] [--computed] [--disk DISK] "
    "[--json]\n"
    "                          [--elevator NAME] [CYLINDER... | --random N [--seed S]]\n"
    "One set of requests under each elevator, or one: how far the head moves, in cylinders, "
    "computed and "
    "on\n"
    "the disk (in sectors too), the mean way to a request, and the order. The disk has 200\n"
    "cylinders, the head stands at 53 and goes up, if nothing else is said. --computed needs no "
    "disk.\n"
    "    # lab-disk elevators --computed --head 100 --down 55 58 39 18 90 160 150 38 184\n"
    "    head at 100 of 200, going down; 9 requests: 55 58 39 18 90 160 150 38 184\n"
    "    elevator  computed  travelled  sectors   mean  order\n"
    "    fcfs           498          -        -  55.33  55 58 39 18 90 160 150 38 184\n"
    "    sstf           248          -        -  27.56  90 58 55 39 38 18 150 160 184\n"
    "    scan           284          -        -  31.56  90 58 55 39 38 18 150 160 184\n"
    "    cscan          348          -        -  38.67  90 58 55 39 38 18 184 160 150\n"
    "    ...\n";

constexpr uint32_t kSectorsPerPage = 8;
constexpr long kMostRequests = 64;

struct Set {
    long cylinders = 200, head = 53, random = 0, seed = 1;
    bool down = false, computed = false, json = false;
    std::string disk, elevator;
    std::vector<long> wanted;
};

struct Outcome {
    std::vector<long> order;
    uint64_t cylinders = 0, sectors = 0;
};

Outcome compute(Elevator& policy, const Set& set) {
    DiskHead head{.last = static_cast<uint64_t>(set.cylinders - 1),
                  .at = static_cast<uint64_t>(set.head),
                  .up = !set.down};
    std::deque<DiskRequest> requests;
    RequestList waiting;
    for (long cylinder : set.wanted) {
        // The head stays where it is while it serves a cylinder.
        DiskRequest& request = requests.emplace_back(static_cast<uint64_t>(cylinder), 0);
        request.arrival = requests.size();
        request.deadline = ~uint64_t{0};
        waiting.push_back(request);
    }
    Outcome outcome;
    while (!waiting.empty()) {
        lab::write_file("/proc/trace_marker",
                        "request " + std::to_string(outcome.order.size() + 1));
        DiskRequest& next = *policy.pick(waiting, head, 0);
        head.serve(next.sector, next.count);
        outcome.order.push_back(static_cast<long>(next.sector));
        waiting.remove(next);
    }
    outcome.cylinders = head.travel;
    return outcome;
}

// The disk divided into cylinders, so that the last one is its last page.
class Cylinders {
  public:
    Cylinders(const Disk& disk, long count)
        : disk_(disk), step_(double(disk.sectors() - kSectorsPerPage) / double(count - 1)) {}
    void read(long cylinder) const {
        alignas(8) char page[4096];
        const auto sector = static_cast<uint64_t>(std::llround(double(cylinder) * step_));
        disk_.read(sector / kSectorsPerPage * kSectorsPerPage, page, sizeof page);
    }
    uint64_t in_cylinders(uint64_t sectors) const {
        return static_cast<uint64_t>(std::llround(double(sectors) / step_));
    }

  private:
    const Disk& disk_;
    double step_;
};

void put(const std::string& setting, const std::string& text) {
    if (const int error = lab::write_file(setting, text))
        lab::fail("%s: %s", setting.c_str(), strerror(error));
}

unsigned long travel_of(const Disk& disk) {
    return std::stoul(lab::read_file(disk.setting("travel")));
}

// False: another program used the disk meanwhile.
bool serve(const Disk& disk, const Cylinders& cylinders, std::string_view policy, const Set& set,
           Outcome& outcome) {
    drop_caches();
    // The way there leaves the head with its direction.
    put(disk.setting("elevator"), "look");
    cylinders.read(set.down ? set.cylinders - 1 : 0);
    cylinders.read(set.head);
    put(disk.setting("elevator"), std::string(policy));
    const unsigned long before = disk.counts().requests;
    const unsigned long travel = travel_of(disk);
    const size_t count = set.wanted.size();
    put(disk.setting("hold"), std::to_string(count));
    std::vector<long> order(count);
    std::atomic<size_t> served{0};
    std::vector<std::thread> threads;
    for (size_t i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            cylinders.read(set.wanted[i]);
            order[served++] = set.wanted[i];
        });
        // One after another, as the order of arrival matters.
        while (served == 0 && disk.counts().in_flight <= i && i + 1 < count) sched_yield();
    }
    for (std::thread& thread : threads) thread.join();
    outcome.order = order;
    outcome.sectors = travel_of(disk) - travel;
    outcome.cylinders = cylinders.in_cylinders(outcome.sectors);
    return disk.counts().requests - before == count;
}

std::string text(const std::vector<long>& order) {
    std::string out;
    for (long cylinder : order) out += (out.empty() ? "" : " ") + std::to_string(cylinder);
    return out;
}

Set parse(int argc, char** argv) {
    Set set;
    const std::vector<std::string> words =
        lab::Command(kHelp)
            .flag("--down", set.down)
            .flag("--computed", set.computed)
            .flag("--json", set.json)
            .text("--disk", set.disk)
            .choice("--elevator", set.elevator,
                    {std::begin(Elevators::kNames), std::end(Elevators::kNames)})
            .number("--cylinders", set.cylinders, 2, 1'000'000)
            .number("--head", set.head, 0, 999'999)
            .random(set.random, kMostRequests, set.seed)
            .parse(argc, argv);
    if (set.head >= set.cylinders)
        lab::refuse("the head stands outside the disk: cylinders are 0 to %ld", set.cylinders - 1);
    if (!words.empty() && set.random) lab::refuse("either requests, or --random N of them");
    for (const std::string& word : words)
        set.wanted.push_back(lab::number("a request's cylinder", word, 0, set.cylinders - 1));
    lab::Random random(set.seed);
    // Each cylinder once: the queue would serve two requests for one place together.
    while (set.wanted.size() < static_cast<size_t>(std::min(set.random, set.cylinders))) {
        const long cylinder = random.between(0, set.cylinders - 1);
        if (std::find(set.wanted.begin(), set.wanted.end(), cylinder) == set.wanted.end())
            set.wanted.push_back(cylinder);
    }
    if (set.wanted.empty()) {
        if (set.cylinders < 200) lab::refuse("the textbooks' requests need 200 cylinders");
        set.wanted = {98, 183, 37, 122, 14, 124, 65, 67};
    }
    if (set.wanted.size() > kMostRequests)
        lab::refuse("at most %ld requests, not %zu", kMostRequests, set.wanted.size());
    return set;
}

Outcome on_disk(const Set& set, std::string_view policy) {
    std::vector<long> sorted(set.wanted.begin(), set.wanted.end());
    std::sort(sorted.begin(), sorted.end());
    if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
        lab::refuse(
            "cylinder %ld is asked for twice, and a disk reads it once; --computed takes it",
            *twice);
    const Disk disk(set.disk);
    if (disk.sectors() < static_cast<uint64_t>(set.cylinders) * 4 * kSectorsPerPage)
        lab::fail("%s is too small for %ld cylinders", disk.name().c_str(), set.cylinders);
    const lab::Setting kept(disk.setting("elevator"));
    const Cylinders cylinders(disk, set.cylinders);
    Outcome found;
    for (int tries = 0; !serve(disk, cylinders, policy, set, found); ++tries)
        if (tries == 10) lab::fail("%s is busy with something else", disk.name().c_str());
    return found;
}

}  // namespace

int elevators(int argc, char** argv) {
    const Set set = parse(argc, argv);
    const bool real = !set.computed && !(set.disk.empty() && Disk::first().empty());
    lab::Table table({{"elevator", "elevator"},
                      {"computed", "computed"},
                      {"travelled", "travelled"},
                      {"sectors", "sectors"},
                      {"mean", "mean"},
                      {"order", "order"}});
    const lab::Cell none("-", lab::Raw{"null"});
    Elevators policies;
    for (uint32_t i = 0; i < Elevators::kCount; ++i) {
        if (!set.elevator.empty() && set.elevator != Elevators::kNames[i]) continue;
        const Outcome wanted = compute(policies.at(i), set);
        const Outcome found = real ? on_disk(set, Elevators::kNames[i]) : wanted;
        const lab::Decimal mean{double(wanted.cylinders) / double(set.wanted.size()), 2};
        table.row({std::string(Elevators::kNames[i]), wanted.cylinders,
                   real ? lab::Cell(found.cylinders) : none, real ? lab::Cell(found.sectors) : none,
                   mean, lab::Cell(text(found.order), found.order)});
    }
    if (set.json) {
        lab::Object input;
        input.add("cylinders", set.cylinders).add("head", set.head).add("up", !set.down);
        lab::Object()
            .add("lab", "lab-disk elevators")
            .add("input", input.add("requests", set.wanted))
            .add("rows", table.rows())
            .print();
        return 0;
    }
    std::printf("head at %ld of %ld, going %s; %zu requests: %s\n", set.head, set.cylinders,
                set.down ? "down" : "up", set.wanted.size(), text(set.wanted).c_str());
    table.print();
    if (!real && !set.computed)
        std::puts(
            "computed only: a RAM disk (--icount) has a queue once its transfers take time: echo "
            "1000 >/proc/sys/dev/disk/ram_delay_us");
    return 0;
}

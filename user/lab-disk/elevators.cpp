// One set of requests under each elevator: on the disk, where the set waits in the queue until all of
// it is there, and computed by the same class on its own.
#include <sched.h>

#include <atomic>
#include <cmath>
#include <deque>
#include <thread>

#include "drivers/elevator_list.hpp"
#include "lab.hpp"

namespace {

constexpr uint32_t kSectorsPerPage = 8;

struct Set {
    unsigned long cylinders = 200, head = 53;
    bool down = false;
    std::vector<unsigned long> wanted;
};

struct Outcome {
    std::vector<unsigned long> order;
    uint64_t cylinders = 0, sectors = 0;
};

Outcome compute(Elevator& policy, const Set& set) {
    DiskHead head{.last = set.cylinders - 1, .at = set.head, .up = !set.down};
    std::deque<DiskRequest> requests;
    RequestList waiting;
    for (unsigned long cylinder : set.wanted) {
        DiskRequest& request = requests.emplace_back(cylinder, 0);  // the head stays where it is
        request.arrival = requests.size();
        request.deadline = ~uint64_t{0};
        waiting.push_back(request);
    }
    Outcome outcome;
    while (!waiting.empty()) {
        DiskRequest& next = *policy.pick(waiting, head, 0);
        head.serve(next.sector, next.count);
        outcome.order.push_back(static_cast<unsigned long>(next.sector));
        waiting.remove(next);
    }
    outcome.cylinders = head.travel;
    return outcome;
}

// The disk divided into cylinders, so that the last one is its last page.
class Cylinders {
  public:
    Cylinders(const Disk& disk, unsigned long count)
        : disk_(disk), step_(double(disk.sectors() - kSectorsPerPage) / double(count - 1)) {}
    void read(unsigned long cylinder) const {
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

// False: another process used the disk meanwhile.
bool serve(const Disk& disk, const Cylinders& cylinders, std::string_view policy, const Set& set,
           Outcome& outcome) {
    drop_caches();
    // The way there leaves the head with its direction.
    write_text(disk.setting("elevator"), "look");
    cylinders.read(set.down ? set.cylinders - 1 : 0);
    cylinders.read(set.head);
    write_text(disk.setting("elevator"), std::string(policy));
    const unsigned long before = disk.counts().requests;
    const unsigned long travel = number(read_text(disk.setting("travel")));
    const size_t count = set.wanted.size();
    write_text(disk.setting("hold"), std::to_string(count));
    std::vector<unsigned long> order(count);
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
    outcome.sectors = number(read_text(disk.setting("travel"))) - travel;
    outcome.cylinders = cylinders.in_cylinders(outcome.sectors);
    return disk.counts().requests - before == count;
}

std::string text(const std::vector<unsigned long>& order) {
    std::string out;
    for (unsigned long cylinder : order)
        out += (out.empty() ? "" : ", ") + std::to_string(cylinder);
    return out;
}

Set parse(const std::vector<std::string>& words, std::string& disk, bool& computed) {
    Set set;
    for (size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (word == "--down")
            set.down = true;
        else if (word == "--computed")
            computed = true;
        else if (word.substr(0, 2) != "--")
            set.wanted.push_back(number(word));
        else if (i + 1 == words.size())
            usage();
        else if (word == "--disk")
            disk = words[++i];
        else if (word == "--cylinders")
            set.cylinders = number(words[++i]);
        else if (word == "--head")
            set.head = number(words[++i]);
        else
            usage();
    }
    if (set.wanted.empty()) set.wanted = {98, 183, 37, 122, 14, 124, 65, 67};
    if (set.cylinders < 2 || set.head >= set.cylinders) fail("the head stands outside the disk");
    for (unsigned long cylinder : set.wanted)
        if (cylinder >= set.cylinders)
            fail("cylinder " + std::to_string(cylinder) + " of how many?");
    if (set.wanted.size() > 64) fail("at most 64 requests");
    return set;
}

}  // namespace

int elevators(const std::vector<std::string>& words, bool json) {
    std::string name;
    bool computed = false;
    const Set set = parse(words, name, computed);
    if (json)
        std::printf(
            "{\"cylinders\": %lu, \"head\": %lu, \"up\": %s, \"requests\": [%s], "
            "\"elevators\": [",
            set.cylinders, set.head, set.down ? "false" : "true", text(set.wanted).c_str());
    else
        std::printf("head at %lu of %lu, going %s; requests: %s\n%-9s %8s %10s %9s  order\n",
                    set.head, set.cylinders, set.down ? "down" : "up", text(set.wanted).c_str(), "",
                    "computed", "travelled", "sectors");
    Elevators policies;
    for (uint32_t i = 0; i < Elevators::kCount; ++i) {
        const Outcome wanted = compute(policies.at(i), set);
        Outcome found = wanted;
        if (!computed) {
            const Disk disk(name);
            if (disk.sectors() < set.cylinders * 4 * kSectorsPerPage)
                fail("that disk is too small");
            const Kept kept(disk.setting("elevator"));
            const Cylinders cylinders(disk, set.cylinders);
            int tries = 0;
            while (!serve(disk, cylinders, Elevators::kNames[i], set, found))
                if (++tries == 10) fail(disk.name() + " is busy with something else");
        }
        const std::string label(Elevators::kNames[i]);
        if (json)
            std::printf(
                "%s\n  {\"name\": \"%s\", \"computed\": %llu, \"travelled\": %llu, "
                "\"sectors\": %llu, \"order\": [%s]}",
                i ? "," : "", label.c_str(), (unsigned long long)wanted.cylinders,
                (unsigned long long)found.cylinders, (unsigned long long)found.sectors,
                text(found.order).c_str());
        else if (computed)
            std::printf("%-9s %8llu %10s %9s  %s\n", label.c_str(),
                        (unsigned long long)wanted.cylinders, "-", "-", text(found.order).c_str());
        else
            std::printf("%-9s %8llu %10llu %9llu  %s\n", label.c_str(),
                        (unsigned long long)wanted.cylinders, (unsigned long long)found.cylinders,
                        (unsigned long long)found.sectors, text(found.order).c_str());
    }
    if (json) std::puts("\n]}");
    return 0;
}

// lab-records: one set of records in a sequential, an indexed and an indexed-sequential file, with
// records of fixed and of variable length: what look-ups and insertions cost, in keys compared, in
// disk reads with nothing in memory, and in bytes written.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "user/lab-records/record_file.hpp"
#include "user/lab/command.hpp"
#include "user/lab/random.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-records [--random N] [--bytes B] [--group G] [--lookups K] [--inserts K] [--seed "
    "S]\n"
    "                   [--directory DIR] [--keep] [--json]\n"
    "N records (1000) with random keys and values of B bytes (60; of variable length: B/4 to B) "
    "in\n"
    "files in DIR (.), sequential, indexed, and indexed-sequential with groups of G (16; made "
    "three\n"
    "quarters full). Then K (20) of them are looked up by key and by number, and K new ones "
    "inserted.\n"
    "Per operation: compared: keys; reads: from the disk, with the page cache emptied before each "
    "and\n"
    "nothing read ahead; written: bytes. --keep leaves the files there.\n"
    "    # lab-records\n"
    "    records   file                 data  index  compared  reads by key  by number ...\n"
    "    fixed     sequential          64000      0       9.9           4.1        1.1 ...\n"
    "    fixed     indexed             64000  16000      10.0           3.2        2.1 ...\n"
    "    fixed     indexed-sequential  86016   1344      14.0           2.4        2.4 ...\n"
    "    ...\n";

struct Options {
    long records = 1000, bytes = 60, group = 16, lookups = 20, inserts = 20, seed = 1;
    std::string directory = ".";
    bool keep = false, json = false;
};

struct Load {
    std::vector<Record> records;    // by key
    std::vector<uint32_t> numbers;  // of those to look up
    std::vector<Record> more;       // to insert
};

Load make_load(const Options& o) {
    lab::Random random(o.seed);
    std::set<uint32_t> keys;
    const auto fresh = [&] {
        for (;;) {
            const auto key = static_cast<uint32_t>(random.between(1, 1'000'000'000));
            if (keys.insert(key).second) return key;
        }
    };
    const auto value = [&](uint32_t key) {
        std::string text = std::to_string(key) + " ";
        const auto length =
            static_cast<size_t>(random.between(std::max(o.bytes / 4, 12l), o.bytes));
        while (text.size() < length) text += static_cast<char>('a' + text.size() % 26);
        return text;
    };
    Load load;
    for (long i = 0; i < o.records; ++i) fresh();
    for (uint32_t key : keys) load.records.push_back({key, value(key)});
    for (long i = 0; i < o.lookups; ++i)
        load.numbers.push_back(static_cast<uint32_t>(random.between(0, o.records - 1)));
    for (long i = 0; i < o.inserts; ++i) {
        const uint32_t key = fresh();
        load.more.push_back({key, value(key)});
    }
    return load;
}

// Requests to read that all disks have served, without partitions (whose disks have them too).
unsigned long disk_reads() {
    std::ifstream stats("/proc/diskstats");
    unsigned long sum = 0;
    for (std::string line; std::getline(stats, line);) {
        std::istringstream words(line);
        std::string major, minor, disk;
        unsigned long reads = 0;
        words >> major >> minor >> disk >> reads;
        if (!std::isdigit(static_cast<unsigned char>(disk.back())) || disk.starts_with("ram"))
            sum += reads;
    }
    return sum;
}

void forget() {
    sync();
    if (const int error = lab::write_file("/proc/sys/vm/drop_caches", "1"))
        lab::fail("the page cache cannot be emptied: %s (only root may)", strerror(error));
}

template <typename F>
unsigned long cold_reads(RecordFile& file, F&& action) {
    file.forget();
    forget();
    const unsigned long before = disk_reads();
    action();
    return disk_reads() - before;
}

struct Costs {
    uint64_t compared = 0, written = 0;
    unsigned long by_key = 0, by_number = 0, inserting = 0;
    uint64_t insert_compared = 0;
};

Costs use(RecordFile& file, const Load& load) {
    Costs costs;
    const uint64_t building = file.compared();
    for (uint32_t number : load.numbers) {
        const Record& wanted = load.records[number];
        costs.by_key += cold_reads(file, [&] {
            if (file.find(wanted.key) != wanted) lab::fail("key %u was not found", wanted.key);
        });
    }
    costs.compared = file.compared() - building;
    for (uint32_t number : load.numbers)
        costs.by_number += cold_reads(file, [&] {
            if (file.at(number) != load.records[number]) lab::fail("record %u is wrong", number);
        });
    const uint64_t compared = file.compared(), written = file.bytes_written();
    for (const Record& record : load.more)
        costs.inserting += cold_reads(file, [&] { file.insert(record); });
    costs.insert_compared = file.compared() - compared;
    costs.written = file.bytes_written() - written;
    for (const auto* all : {&load.records, &load.more})
        for (const Record& record : *all)
            if (file.find(record.key) != record) lab::fail("key %u was lost", record.key);
    return costs;
}

lab::Decimal mean(uint64_t sum, size_t count) {
    return {count ? double(sum) / double(count) : 0, 1};
}

// By its form: the file's path, without what an earlier run left there.
std::unique_ptr<RecordFile> make(const std::string& kind, const std::string& path, bool variable,
                                 const Options& o) {
    const RecordFormat format{variable, static_cast<uint32_t>(o.bytes)};
    if (kind == "sequential") return std::make_unique<SequentialFile>(path, format);
    if (kind == "indexed") return std::make_unique<IndexedFile>(path, format);
    return std::make_unique<IndexedSequentialFile>(path, format, static_cast<uint32_t>(o.group));
}

Options parse(int argc, char** argv) {
    Options o;
    const std::vector<std::string> words = lab::Command(kHelp)
                                               .random(o.records, 1'000'000, o.seed)
                                               .number("--bytes", o.bytes, 12, 4000)
                                               .number("--group", o.group, 2, 1000)
                                               .number("--lookups", o.lookups, 1, 1000)
                                               .number("--inserts", o.inserts, 1, 1000)
                                               .text("--directory", o.directory)
                                               .flag("--keep", o.keep)
                                               .flag("--json", o.json)
                                               .parse(argc, argv);
    if (!words.empty()) lab::refuse("no word '%s' here; see --help", words[0].c_str());
    return o;
}

lab::Object input_of(const Options& o, const Load& load) {
    lab::Object input;
    return input.add("records", o.records)
        .add("bytes", o.bytes)
        .add("group", o.group)
        .add("seed", o.seed)
        .add("numbers", load.numbers)
        .add("inserts", o.inserts);
}

}  // namespace

int main(int argc, char** argv) {
    const Options o = parse(argc, argv);
    const Load load = make_load(o);
    lab::Table table({{"records", "records"},
                      {"file", "file"},
                      {"data_bytes", "data"},
                      {"index_bytes", "index"},
                      {"compared", "compared"},
                      {"reads_by_key", "reads by key"},
                      {"reads_by_number", "by number"},
                      {"insert_compared", "insertion: compared"},
                      {"insert_reads", "reads"},
                      {"insert_written", "written"}});
    mlockall(MCL_CURRENT | MCL_FUTURE);  // this program's own pages are not what is counted
    const lab::Setting ahead("/proc/sys/vm/read_ahead_kb", "0");
    for (const bool variable : {false, true})
        for (const char* kind : {"sequential", "indexed", "indexed-sequential"}) {
            const std::string path = o.directory + "/lab-records." + kind;
            Costs c;
            uint32_t data, index;
            {
                const std::unique_ptr<RecordFile> file = make(kind, path, variable, o);
                file->build(load.records);
                data = file->data_bytes();
                index = file->index_bytes();
                c = use(*file, load);
            }
            if (!o.keep) {
                unlink(path.c_str());
                unlink((path + ".index").c_str());
            }
            table.row({variable ? "variable" : "fixed", kind, data, index,
                       mean(c.compared, load.numbers.size()), mean(c.by_key, load.numbers.size()),
                       mean(c.by_number, load.numbers.size()),
                       mean(c.insert_compared, load.more.size()),
                       mean(c.inserting, load.more.size()), mean(c.written, load.more.size())});
        }
    if (!o.json) {
        table.print();
        std::printf("%ld records, %ld look-ups, %ld insertions: means of each\n", o.records,
                    o.lookups, o.inserts);
        return 0;
    }
    lab::Object()
        .add("lab", "lab-records")
        .add("input", input_of(o, load))
        .add("rows", table.rows())
        .print();
    return 0;
}

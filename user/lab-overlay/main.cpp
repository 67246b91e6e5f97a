// lab-overlay: a program whose parts take turns in one area of its own text. No two of them are needed
// at a time, so the area is as large as the largest, not as all together; the program itself says
// when which part comes, as before there was virtual memory.
#include <elf.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

extern "C" {
extern const char overlay_read[], overlay_read_end[], overlay_sort[], overlay_sort_end[],
    overlay_print[], overlay_print_end[];
extern char overlay_area[], overlay_area_end[];
}

namespace {

constexpr char kHelp[] =
    "usage: lab-overlay [--json] [PART...]\n"
    "Runs parts of itself one after the other: read (3 pages), sort (5) and print (2); default: "
    "read\n"
    "sort print read. Each is mapped from the executable file over the same 5 pages of its text, "
    "and\n"
    "then called there. Faults: page faults of the call (a fault brings along neighbours that are "
    "in\n"
    "the cache); in memory: pages of the area afterwards.\n"
    "With scripts/run --trace the trace has each map, unmap and fault, and a mark for each part.\n"
    "    # lab-overlay read sort\n"
    "    part  pages  file offset  mapped at  faults  in memory  result  expected\n"
    "    read      3        61440   08061000       2          3      60        60\n"
    "    sort      5        73728   08061000       1          5    1500      1500\n"
    "    10 pages of parts in an area of 5\n";
constexpr unsigned kPage = 4096;

struct Part {
    const char* name;
    const char *start, *end;
    unsigned factor;
    unsigned pages() const { return static_cast<unsigned>(end - start) / kPage; }
    unsigned expected() const { return pages() * (pages() + 1) / 2 * factor; }
} const kParts[] = {{"read", overlay_read, overlay_read_end, 10},
                    {"sort", overlay_sort, overlay_sort_end, 100},
                    {"print", overlay_print, overlay_print_end, 1000}};

// Where an address of the program's text is in its file.
off_t file_offset(const char* address) {
    const auto at = reinterpret_cast<uintptr_t>(address);
    const auto* segment = reinterpret_cast<const Elf32_Phdr*>(getauxval(AT_PHDR));
    for (unsigned long left = getauxval(AT_PHNUM); left; --left, ++segment)
        if (segment->p_type == PT_LOAD && at - segment->p_vaddr < segment->p_filesz)
            return static_cast<off_t>(at - segment->p_vaddr + segment->p_offset);
    lab::fail("no segment of the file has that address");
}

long faults() {
    rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_minflt + use.ru_majflt;
}

// Pages that have an entry in the page table.
unsigned in_memory(const char* start, const char* end) {
    const int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    unsigned count = 0;
    for (const char* page = start; page < end; page += kPage) {
        uint64_t entry = 0;
        const auto index = reinterpret_cast<uintptr_t>(page) / kPage;
        if (pread(map, &entry, 8, static_cast<off_t>(index * 8)) != 8)
            lab::fail("/proc/self/pagemap: %s", strerror(errno));
        count += entry >> 63;
    }
    close(map);
    return count;
}

// Part over part: what was there goes.
void bring_in(const Part& part, int file) {
    lab::write_file("/proc/trace_marker", std::string("overlay: ") + part.name);
    munmap(overlay_area, static_cast<size_t>(overlay_area_end - overlay_area));
    if (mmap(overlay_area, part.pages() * kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
             file, file_offset(part.start)) == MAP_FAILED)
        lab::fail("mmap: %s", strerror(errno));
}

unsigned run(const Part& part) {
    using Function = unsigned (*)(const char* pages, unsigned count);
    return reinterpret_cast<Function>(overlay_area)(overlay_area, part.pages());
}

}  // namespace

int main(int argc, char** argv) {
    bool json = false;
    std::vector<std::string> words = lab::Command(kHelp).flag("--json", json).parse(argc, argv);
    if (words.empty()) words = {"read", "sort", "print", "read"};
    const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file < 0) lab::fail("/proc/self/exe: %s", strerror(errno));
    lab::Table table({{"part", "part"},
                      {"pages", "pages"},
                      {"offset", "file offset"},
                      {"address", "mapped at"},
                      {"faults", "faults"},
                      {"in_memory", "in memory"},
                      {"result", "result"},
                      {"expected", "expected"}});
    for (const std::string& word : words) {
        const Part* part = nullptr;
        for (const Part& one : kParts)
            if (word == one.name) part = &one;
        if (!part) lab::refuse("a part is one of: read sort print; not '%s'", word.c_str());
        bring_in(*part, file);
        const long before = faults();
        const unsigned result = run(*part);
        const long after = faults();
        char address[16];
        snprintf(address, sizeof address, "%08x",
                 static_cast<unsigned>(reinterpret_cast<uintptr_t>(overlay_area)));
        table.row({part->name, part->pages(), static_cast<long>(file_offset(part->start)), address,
                   after - before, in_memory(overlay_area, overlay_area_end), result,
                   part->expected()});
    }
    unsigned all = 0;
    for (const Part& part : kParts) all += part.pages();
    const auto area = static_cast<unsigned>(overlay_area_end - overlay_area) / kPage;
    if (json) {
        lab::Object()
            .add("lab", "lab-overlay")
            .add("input", lab::Object().add("parts", words))
            .add("all_pages", all)
            .add("area_pages", area)
            .add("rows", table.rows())
            .print();
        return 0;
    }
    table.print();
    std::printf("%u pages of parts in an area of %u\n", all, area);
    return 0;
}

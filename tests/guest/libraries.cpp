// Shared libraries: bound when the program is loaded (this test is), and at run time by dlopen; one
// copy of a library's text in memory for all who use it.
#include <dlfcn.h>

#include <cstdint>
#include <fstream>

#include "check.hpp"

using namespace check;

namespace {

// The lines of /proc/self/maps that name the file, "" if none does.
std::string mapped(std::string_view file) {
    std::ifstream maps("/proc/self/maps");
    std::string found;
    for (std::string line; std::getline(maps, line);)
        if (line.ends_with(file)) found += line + "\n";
    return found;
}

void test_load_time() {
    const std::string libc = mapped("/lib/libc.so.6");
    that("text is mapped to be executed", libc.find(" r-xp ") != std::string::npos);
    that("data is mapped private", libc.find(" rw-p ") != std::string::npos);
    that("nothing is writable and executable", libc.find(" rwxp ") == std::string::npos);
    that("ld.so is there", !mapped("/lib/ld-linux.so.2").empty());
}

void test_run_time() {
    const char* name = "/lib/libgomp.so.1";
    that("no library without its file", dlopen(name, RTLD_NOW) == nullptr);
    that("why", std::string_view(dlerror()).find("No such file") != std::string_view::npos);
    that("libdl isn't mapped yet", mapped("/lib/libdl.so.2").empty());
    void* library = dlopen("libdl.so.2", RTLD_LAZY);
    that("dlopen", library != nullptr);
    that("libdl is mapped now", !mapped("/lib/libdl.so.2").empty());
    if (!library) return;
    that("no such symbol", dlsym(library, "orrery") == nullptr);
    equal("dlclose", dlclose(library), 0);
    that("libdl is gone", mapped("/lib/libdl.so.2").empty());

    library = dlopen("libm.so.6", RTLD_NOW);
    const auto square_root = reinterpret_cast<double (*)(double)>(dlsym(library, "sqrt"));
    that("a function found by its name", square_root && square_root(1764.0) == 42.0);
}

long free_kib() {
    std::ifstream from("/proc/meminfo");
    for (std::string word; from >> word;)
        if (word == "MemFree:") {
            long value;
            from >> value;
            return value;
        }
    return -1;
}

// Reads one byte of each page of libm's text.
int touch_libm() {
    const auto start = reinterpret_cast<uintptr_t>(dlsym(dlopen("libm.so.6", RTLD_NOW), "sqrt"));
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        uintptr_t first, end;
        if (sscanf(line.c_str(), "%x-%x", &first, &end) != 2 || start < first || start >= end)
            continue;
        unsigned sum = 0;
        for (uintptr_t at = first; at < end; at += 4096)
            sum += *reinterpret_cast<volatile unsigned char*>(at);
        return sum == 0;
    }
    return 1;
}

void test_one_copy() {
    wait_for(start(touch_libm));  // brings the text into the page cache
    constexpr int kChildren = 8;
    const long before = free_kib();
    Gate touched[kChildren], go;
    pid_t children[kChildren];
    for (int i = 0; i < kChildren; ++i) {
        children[i] = start([&, i] {
            const int status = touch_libm();
            touched[i].pass();
            go.wait();
            return status;
        });
        touched[i].wait();
    }
    const long used = before - free_kib();
    for (int i = 0; i < kChildren; ++i) go.pass();
    for (const pid_t child : children) equal("child", wait_for(child), 0);
    // libm's text alone is 500 KiB; a process of this size needs about 130.
    that("eight processes share one copy", used < kChildren * 300);
}

}  // namespace

int main() {
    test_load_time();
    test_run_time();
    test_one_copy();
    return done();
}

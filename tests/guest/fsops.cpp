// Random operations on a tree, with a transcript of what each returned, and a listing of a tree with
// hashes of contents. The same binary runs here and on the host (it is an ordinary i386 program), so
// that system/fs_random_test.py may compare both. Alone it compares the root's file system with tmpfs.
//   fsops run SEED OPERATIONS WORKERS FOLDER      workers are processes, each in a folder of its own
//   fsops keep SEED OPERATIONS WORKERS FOLDER     folders aren't renamed; and some files have no name first
//   fsops tree FOLDER
// linking: static
#include <dirent.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <utime.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "check.hpp"

namespace {

bool keep_folders = false;
constexpr int kHandles = 6;
constexpr uint32_t kFnvStart = 2166136261u;

uint32_t hash(const void* data, size_t bytes, uint32_t h = kFnvStart) {
    for (size_t i = 0; i < bytes; ++i) h = (h ^ static_cast<const uint8_t*>(data)[i]) * 16777619u;
    return h;
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    DIR* dir = opendir(folder.c_str());
    if (!dir) return names;
    while (const dirent* entry = readdir(dir)) {
        const std::string name = entry->d_name;
        if (name != "." && name != ".." && name != "lost+found") names.push_back(name);
    }
    closedir(dir);
    std::sort(names.begin(), names.end());
    return names;
}

std::string contents_of(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_LARGEFILE);
    if (fd < 0) return strerror(errno);
    static char buffer[65536];
    uint32_t h = kFnvStart;
    ssize_t got;
    while ((got = read(fd, buffer, sizeof buffer)) > 0) h = hash(buffer, size_t(got), h);
    if (got < 0) h = uint32_t(errno);
    close(fd);
    return std::to_string(h);
}

// Sizes and link counts of folders differ between file systems for good reason.
void list_tree(const std::string& folder, const std::string& shown, std::string& to) {
    for (const std::string& name : names_in(folder)) {
        const std::string path = folder + "/" + name, line = shown + "/" + name;
        struct stat64 s;
        if (lstat64(path.c_str(), &s)) {
            to += line + " " + strerror(errno) + "\n";
            continue;
        }
        char mode[16];
        snprintf(mode, sizeof mode, " %o", unsigned(s.st_mode));
        to += line + mode;
        if (S_ISDIR(s.st_mode)) {
            to += "\n";
            list_tree(path, line, to);
            continue;
        }
        to += " links " + std::to_string(s.st_nlink) + " size " + std::to_string(s.st_size);
        if (S_ISREG(s.st_mode)) to += " " + contents_of(path);
        if (S_ISLNK(s.st_mode)) {
            char target[4096];
            const ssize_t length = readlink(path.c_str(), target, sizeof target);
            to += " " + std::to_string(hash(target, size_t(std::max<ssize_t>(length, 0))));
        }
        to += "\n";
    }
}

class Worker {
  public:
    Worker(uint32_t seed, std::string folder) : folder_(std::move(folder)), state_(seed * 2 + 1) {
        for (int i = 0; i < 20; ++i) random(2);
        std::fill(handles_, handles_ + kHandles, -1);
    }
    std::string run(uint32_t operations) {
        mkdir(folder_.c_str(), 0755);
        for (uint32_t i = 0; i < operations; ++i) {
            text_ += std::to_string(i) + " ";
            step();
            text_ += "\n";
        }
        for (int handle : handles_)
            if (handle >= 0) close(handle);
        return text_;
    }

  private:
    uint32_t random(uint32_t below) {
        state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
        return uint32_t(state_ >> 33) % below;
    }
    // At most three folders deep; names from a byte to the longest there may be.
    std::string any_name() {
        std::string name;
        for (uint32_t depth = random(4); depth > 0; --depth)
            name += "/d" + std::to_string(random(3));
        if (random(3) == 0) return name + "/d" + std::to_string(random(3));
        name += "/f" + std::to_string(random(9));
        if (random(5) == 0)
            while (name.size() - name.rfind('/') <= 253) name += "ü";
        return name;
    }
    std::string full(const std::string& name) { return folder_ + name; }
    std::string name() {
        const std::string chosen = any_name();
        text_ += chosen.substr(0, 24) + " ";
        return full(chosen);
    }
    void result(long long value) { text_ += value < 0 ? strerror(errno) : std::to_string(value); }
    void fill(uint32_t bytes) {
        data_.resize(bytes);
        for (uint32_t i = 0; i < bytes; i += 4) {
            const uint32_t word = random(UINT32_MAX);
            memcpy(&data_[i], &word, std::min(4u, bytes - i));
        }
    }
    uint32_t offset() { return random(6) ? random(30000) : random(700000); }
    uint32_t length() { return random(5) ? 1 + random(5000) : 1 + random(40000); }

    void step() {
        if (keep_folders && random(8) == 0) return random(2) ? open_nameless() : name_handle();
        switch (random(24)) {
            case 0:
            case 1:
            case 2: return open_file();
            case 3:
            case 4:
            case 5: return write_handle();
            case 6: return read_handle();
            case 7: return truncate_one();
            case 8: return write_mapped();
            case 9:
            case 10: text_ += "mkdir "; return result(mkdir(name().c_str(), 0755));
            case 11:
            case 12: text_ += "unlink "; return result(unlink(name().c_str()));
            case 13: text_ += "rmdir "; return result(rmdir(name().c_str()));
            case 14:
            case 15:
            case 16: return two_names("rename ", rename);
            case 17: return two_names("link ", link);
            case 18: return make_symlink();
            case 19: text_ += "chmod "; return result(chmod(name().c_str(), 0700 | random(0100)));
            case 20: return stat_one();
            case 21: text_ += "mkfifo "; return result(mkfifo(name().c_str(), 0600 | random(0100)));
            case 22: return random(8) ? list() : many();
            default: return sync_one();
        }
    }
    void two_names(const char* what, int (*call)(const char*, const char*)) {
        text_ += what;
        const std::string from = name(), to = name();
        struct stat64 s;
        if (keep_folders && lstat64(from.c_str(), &s) == 0 && S_ISDIR(s.st_mode)) return;
        result(call(from.c_str(), to.c_str()));
    }
    void open_file() {
        constexpr int kFlags[] = {0,       O_CREAT, O_CREAT | O_EXCL,  O_CREAT | O_TRUNC,
                                  O_TRUNC, O_CREAT, O_CREAT | O_APPEND};
        const int flags = kFlags[random(7)];
        int& handle = handles_[random(kHandles)];
        if (handle >= 0) close(handle);
        text_ += "open " + std::to_string(flags) + " ";
        // Never a pipe's end, for that would wait.
        handle = open(name().c_str(), flags | O_RDWR | O_NONBLOCK | O_LARGEFILE, 0644);
        result(handle < 0 ? -1 : 0);
        struct stat64 s;
        if (handle >= 0 && (fstat64(handle, &s) || !S_ISREG(s.st_mode))) {
            close(handle);
            handle = -1;
        }
    }
    void open_nameless() {
        int& handle = handles_[random(kHandles)];
        if (handle >= 0) close(handle);
        text_ += "nameless ";
        handle = open(folder_.c_str(), O_TMPFILE | O_RDWR | O_LARGEFILE, 0644);
        result(handle < 0 ? -1 : 0);
        fill(length());
        result(write(handle, data_.data(), data_.size()));
    }
    void name_handle() {
        const std::string open_file = "/proc/self/fd/" + std::to_string(handles_[random(kHandles)]);
        text_ += "name ";
        result(linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, name().c_str(), AT_SYMLINK_FOLLOW));
    }
    void write_handle() {
        const int handle = handles_[random(kHandles)];
        const uint32_t at = offset();
        fill(length());
        text_ += "write " + std::to_string(at) + " ";
        result(random(4) ? pwrite64(handle, data_.data(), data_.size(), at)
                         : write(handle, data_.data(), data_.size()));
    }
    void read_handle() {
        const int handle = handles_[random(kHandles)];
        data_.assign(length(), 0);
        const uint32_t at = offset();
        const ssize_t got = pread64(handle, data_.data(), data_.size(), at);
        text_ += "read " + std::to_string(at) + " ";
        result(got);
        if (got > 0) text_ += " " + std::to_string(hash(data_.data(), size_t(got)));
    }
    void truncate_one() {
        const uint32_t size = offset();
        text_ += "truncate " + std::to_string(size) + " ";
        if (random(2)) return result(truncate64(name().c_str(), size));
        result(ftruncate64(handles_[random(kHandles)], size));
    }
    void write_mapped() {
        const int handle = handles_[random(kHandles)];
        text_ += "map ";
        struct stat64 s;
        if (fstat64(handle, &s) || s.st_size == 0) return;
        const uint32_t size = uint32_t(s.st_size);
        auto* bytes = static_cast<uint8_t*>(
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0));
        if (bytes == MAP_FAILED) return result(-1);
        for (uint32_t i = 0; i < 5; ++i) bytes[random(size)] = uint8_t(random(256));
        text_ += std::to_string(hash(bytes, std::min(size, 20000u))) + " ";
        if (random(3) == 0) result(msync(bytes, size, MS_SYNC));
        munmap(bytes, size);
    }
    void make_symlink() {
        const std::string target(1 + (random(3) ? random(70) : random(1000)), 't');
        text_ += "symlink " + std::to_string(target.size()) + " ";
        result(symlink(target.c_str(), name().c_str()));
    }
    void stat_one() {
        const std::string path = name();
        utimbuf times{time_t(random(1u << 30)), time_t(random(1u << 30))};
        if (random(2)) result(utime(path.c_str(), &times));
        struct stat64 s;
        text_ += " stat ";
        if (lstat64(path.c_str(), &s)) return result(-1);
        text_ += std::to_string(s.st_mode) + " ";
        if (!S_ISDIR(s.st_mode))
            text_ += std::to_string(s.st_nlink) + " " + std::to_string(s.st_size) + " ";
        if (s.st_mtime < (1 << 30)) result(s.st_mtime);
    }
    void list() {
        text_ += "list ";
        uint32_t h = kFnvStart;
        const std::vector<std::string> names = names_in(name());
        for (const std::string& each : names) h = hash(each.c_str(), each.size() + 1, h);
        text_ += std::to_string(names.size()) + " " + std::to_string(h);
    }
    // A folder that grows over several blocks, and loses the most of it again.
    void many() {
        text_ += "many ";
        const std::string folder = name();
        int made = 0, gone = 0;
        for (int i = 0; i < 150; ++i) {
            const std::string path =
                folder + "/many" + std::to_string(i) + std::string(random(100), 'm');
            const int fd = open(path.c_str(), O_CREAT | O_WRONLY, 0600);
            made += fd >= 0;
            if (fd >= 0) close(fd);
            if (random(8)) gone += unlink(path.c_str()) == 0;
        }
        text_ += std::to_string(made) + " " + std::to_string(gone);
    }
    void sync_one() {
        if (random(10) == 0) sync();
        const int handle = handles_[random(kHandles)];
        text_ += "fsync ";
        result(random(2) ? fsync(handle) : fdatasync(handle));
    }

    std::string folder_, text_;
    uint64_t state_;
    std::string data_;
    int handles_[kHandles];
};

std::string run(uint32_t seed, uint32_t operations, uint32_t workers, const std::string& folder) {
    mkdir(folder.c_str(), 0755);
    umask(022);
    std::vector<int> ends;
    for (uint32_t i = 0; i < workers; ++i) {
        int ways[2];
        if (pipe(ways)) exit(125);
        if (fork() == 0) {
            const std::string text =
                Worker(seed * 64 + i, folder + "/w" + std::to_string(i)).run(operations);
            for (size_t at = 0; at < text.size();) {
                const ssize_t done = write(ways[1], text.data() + at, text.size() - at);
                if (done <= 0) _exit(125);
                at += size_t(done);
            }
            _exit(0);
        }
        close(ways[1]);
        ends.push_back(ways[0]);
    }
    std::string all;
    for (size_t i = 0; i < ends.size(); ++i) {
        all += "worker " + std::to_string(i) + "\n";
        static char buffer[16384];
        ssize_t got;
        while ((got = read(ends[i], buffer, sizeof buffer)) > 0) all.append(buffer, size_t(got));
        close(ends[i]);
    }
    int status;
    while (wait(&status) > 0)
        if (status) all += "a worker failed\n";
    return all;
}

std::string tree(const std::string& folder) {
    std::string text;
    list_tree(folder, "", text);
    return text;
}

}  // namespace

int main(int count, char** words) {
    keep_folders = count == 6 && !strcmp(words[1], "keep");
    if (keep_folders || (count == 6 && !strcmp(words[1], "run"))) {
        check::print(run(uint32_t(atoi(words[2])), uint32_t(atoi(words[3])),
                         uint32_t(atoi(words[4])), words[5]));
        return 0;
    }
    if (count == 3 && !strcmp(words[1], "tree")) {
        check::print(tree(words[2]));
        return 0;
    }
    constexpr uint32_t kSeed = 7, kOperations = 600;
    check::succeeds("tmpfs is there", mount("none", "/mnt", "tmpfs", 0, nullptr));
    const std::string there = run(kSeed, kOperations, 2, "/mnt/ops");
    const std::string here = run(kSeed, kOperations, 2, "/var/ops");
    size_t at = 0;
    while (at < here.size() && at < there.size() && here[at] == there[at]) ++at;
    const size_t line = here.rfind('\n', at) + 1;
    check::same("seed 7: as tmpfs does", here.substr(line, 90), there.substr(line, 90));
    check::that("the trees are the same", tree("/var/ops") == tree("/mnt/ops"));
    return check::done();
}

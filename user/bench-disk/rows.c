// What is measured. Each row leaves what the next ones need.
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/bench-disk/bench.h"

enum {
    kLarge = 64 << 20,
    kChunk = 65536,
    kReads = 2000,
    kFiles = 5000,
    kSynced = 200,
    kFolders = 200,
    kInFolder = 100
};

static char chunk[kChunk];

static void write_large(void) {
    memset(chunk, 'x', kChunk);
    int fd = open("large", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) fail("large");
    for (long done = 0; done < kLarge; done += kChunk)
        if (write(fd, chunk, kChunk) != kChunk) fail("large");
    if (fsync(fd) != 0) fail("fsync");
    close(fd);
}

static void read_in_pieces(size_t piece) {
    int fd = open("large", O_RDONLY);
    if (fd < 0) fail("large");
    long done = 0;
    for (long now; (now = read(fd, chunk, piece)) > 0; done += now)
        if (chunk[0] != 'x' || chunk[now - 1] != 'x') fail("large holds something else");
    if (done != kLarge) fail("large is short");
    close(fd);
}

static void read_large(void) { read_in_pieces(kChunk); }
static void read_pages(void) { read_in_pieces(4096); }

static void read_random(void) {
    int fd = open("large", O_RDONLY);
    if (fd < 0) fail("large");
    unsigned seed = 1;
    for (int i = 0; i < kReads; i++) {
        seed = seed * 1103515245 + 12345;
        if (pread(fd, chunk, 4096, (off_t)(seed >> 8) % (kLarge / 4096) * 4096) != 4096)
            fail("large");
    }
    close(fd);
}

static const char* prefix = "many/";  // of the many files; another after their renaming

static const char* file_name(int i) {
    static char name[64];
    snprintf(name, sizeof name, "%s%d", prefix, i);
    return name;
}

static void make_many(void) {
    if (mkdir("many", 0755) != 0) fail("many");
    for (int i = 0; i < kFiles; i++) {
        int fd = open(file_name(i), O_WRONLY | O_CREAT | O_EXCL, 0644);
        if (fd < 0) fail("create");
        close(fd);
    }
}

static void stat_many(void) {
    struct stat s;
    for (int i = 0; i < kFiles; i++)
        if (stat(file_name(i), &s) != 0) fail("stat");
}

static void rename_many(void) {
    char before[64];
    for (int i = 0; i < kFiles; i++) {
        prefix = "many/";
        strcpy(before, file_name(i));
        prefix = "many/new";
        if (rename(before, file_name(i)) != 0) fail("rename");
    }
}

static void unlink_many(void) {
    for (int i = 0; i < kFiles; i++)
        if (unlink(file_name(i)) != 0) fail("unlink");
    if (rmdir("many") != 0) fail("rmdir");
    prefix = "many/";
}

// Each new, and on the disk before the next.
static void fsync_files(void) {
    char name[64];
    for (int i = 0; i < kSynced; i++) {
        snprintf(name, sizeof name, "synced%d", i);
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
        if (fd < 0 || write(fd, name, sizeof name) != sizeof name || fsync(fd) != 0) fail(name);
        close(fd);
    }
}

static void make_tree(void) {
    static int made;
    if (made++) return;
    char name[64];
    if (mkdir("tree", 0755) != 0) fail("tree");
    for (int i = 0; i < kFolders; i++) {
        snprintf(name, sizeof name, "tree/%d", i);
        if (mkdir(name, 0755) != 0) fail(name);
        for (int j = 0; j < kInFolder; j++) {
            snprintf(name, sizeof name, "tree/%d/%d", i, j);
            int fd = open(name, O_WRONLY | O_CREAT, 0644);
            if (fd < 0) fail(name);
            close(fd);
        }
    }
}

static long walk(const char* path) {
    DIR* folder = opendir(path);
    if (!folder) fail(path);
    long found = 0;
    for (struct dirent* entry; (entry = readdir(folder));) {
        char name[512];
        struct stat s;
        if (entry->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (lstat(name, &s) != 0) fail(name);
        found += S_ISDIR(s.st_mode) ? walk(name) : 1;
    }
    closedir(folder);
    return found;
}

static void find_all(void) {
    if (walk("tree") != kFolders * kInFolder) fail("some are missing");
}

static void untar(void) {
    unpack("source.tar", "source");
    sync();
}

const struct Row kRows[] = {
    {"write", "write 64 MB, fsync", NULL, write_large, 1},
    {"read-cold", "read 64 MB from the disk", NULL, read_large, 1},
    {"read-warm", "read 64 MB, cached", NULL, read_large, 0},
    {"read-pages", "read 64 MB from the disk, 4 KiB a call", NULL, read_pages, 1},
    {"random", "2,000 random reads of 4 KiB, from the disk", NULL, read_random, 1},
    {"create", "create 5,000 files", NULL, make_many, 1},
    {"stat", "stat 5,000 files", NULL, stat_many, 0},
    {"rename", "rename 5,000 files", NULL, rename_many, 0},
    {"unlink", "unlink 5,000 files", NULL, unlink_many, 0},
    {"fsync", "create, write and fsync 200 small files", NULL, fsync_files, 0},
    {"find-cold", "find over 20,000 files, from the disk", make_tree, find_all, 1},
    {"find-warm", "find over 20,000 files, cached", NULL, find_all, 0},
    {"untar", "untar a source tree, sync", NULL, untar, 1},
};
const unsigned kRowCount = sizeof kRows / sizeof *kRows;

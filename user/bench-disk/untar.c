// A tape archive of files and folders, as POSIX has it ("ustar"), taken apart.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/bench-disk/bench.h"

enum { kBlock = 512, kPiece = 65536 };
static char piece[kPiece];

static void take(int from, const char* path, long bytes) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) fail(path);
    for (long left = (bytes + kBlock - 1) / kBlock * kBlock; left > 0;) {
        const long now = left < kPiece ? left : kPiece;
        if (read(from, piece, now) != now) fail("the archive");
        const long mine = bytes < now ? bytes : now;
        if (write(fd, piece, mine) != mine) fail(path);
        bytes -= mine;
        left -= now;
    }
    close(fd);
}

void unpack(const char* archive, const char* folder) {
    int fd = open(archive, O_RDONLY);
    if (fd < 0) fail(archive);
    mkdir(folder, 0755);
    char head[kBlock], path[512];
    while (read(fd, head, kBlock) == kBlock && head[0]) {
        snprintf(path, sizeof path, "%s/%.155s%s%.100s", folder, head + 345, head[345] ? "/" : "",
                 head);
        const long bytes = strtol(head + 124, NULL, 8);
        if (head[156] == '5')
            mkdir(path, 0755);
        else if (head[156] == '0')
            take(fd, path, bytes);
        else
            lseek(fd, (bytes + kBlock - 1) / kBlock * kBlock, SEEK_CUR);
    }
    close(fd);
}

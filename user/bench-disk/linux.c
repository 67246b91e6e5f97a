// What a Linux kernel without an initial system needs before a disk can be used.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/bench-disk/bench.h"

// Named so that their order is the order of need.
static void load_modules(void) {
    for (int i = 0;; i++) {
        char path[64];
        snprintf(path, sizeof path, "/modules/%03d.ko", i);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return;
        if (syscall(SYS_finit_module, fd, "", 0) != 0) fail(path);
        close(fd);
    }
}

void become_init(void) {
    mkdir("/proc", 0755);
    if (mount("proc", "/proc", "proc", 0, "") != 0) fail("/proc");
    mkdir("/dev", 0755);
    mount("dev", "/dev", "devtmpfs", 0, "");
    load_modules();
    mkdir("/mnt", 0755);
    for (int tries = 0; access("/dev/sda", F_OK) != 0; tries++) {
        if (tries == 100) fail("/dev/sda");
        usleep(100000);
    }
    // As ext3 only if it has a journal.
    if (mount("/dev/sda", "/mnt", "ext3", 0, "") != 0 &&
        mount("/dev/sda", "/mnt", "ext2", 0, "") != 0)
        fail("/mnt");
}

void stop_machine(void) {
    if (chdir("/") == 0) umount("/mnt");
    sync();
    reboot(RB_AUTOBOOT);  // which ends QEMU
    for (;;) pause();
}

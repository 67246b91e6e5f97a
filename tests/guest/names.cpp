// Names: folders, links, renaming, look-up relative to a descriptor, status and times; and what a
// file's bytes are after truncation and in its holes. Works below /tmp, a tmpfs.
// Spec: path_resolution(7), rename(2), unlink(2), symlink(7), getdents(2), utimensat(2).
#include <dirent.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <set>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

void create(const char* name, std::string_view content = "") {
    int fd = needs(name, open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    needs(name, write(fd, content.data(), content.size()));
    close(fd);
}

std::string content_of(const char* name) {
    char text[256];
    int fd = open(name, O_RDONLY);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text);
    close(fd);
    return length < 0 ? std::string("(") + strerror(errno) + ")" : std::string(text, length);
}

struct stat status_of_file(const char* name) {
    struct stat info = {};
    needs(name, lstat(name, &info));
    return info;
}

std::set<std::string> names_in(const char* folder) {
    std::set<std::string> names;
    DIR* stream = opendir(folder);
    while (dirent* entry = stream ? readdir(stream) : nullptr) names.insert(entry->d_name);
    if (stream) closedir(stream);
    return names;
}

void test_folders() {
    succeeds("mkdir", mkdir("a", 0755));
    fails("mkdir again", mkdir("a", 0755), EEXIST);
    fails("mkdir below nothing", mkdir("x/y", 0755), ENOENT);
    create("file");
    fails("mkdir below a file", mkdir("file/y", 0755), ENOTDIR);
    succeeds("mkdir with a trailing slash", mkdir("a/b/", 0755));
    equal("links of a folder", status_of_file("a").st_nlink, 3);
    fails("rmdir of a full one", rmdir("a"), ENOTEMPTY);
    fails("rmdir of a file", rmdir("file"), ENOTDIR);
    fails("rmdir of .", rmdir("a/b/."), EINVAL);
    fails("unlink of a folder", unlink("a/b"), EISDIR);
    succeeds("rmdir", rmdir("a/b"));
    equal("links after it", status_of_file("a").st_nlink, 2);
    fails("rmdir of nothing", rmdir("a/b"), ENOENT);

    for (int i = 0; i < 300; i++) create(("a/file" + std::to_string(i)).c_str());
    auto names = names_in("a");
    equal("300 names and two", names.size(), 302);
    that(". and .. among them",
         names.contains(".") && names.contains("..") && names.contains("file299"));
    DIR* stream = opendir("a");
    int removed = 0;
    while (dirent* entry = readdir(stream))  // removal while reading must not skip names
        if (entry->d_name[0] != '.') removed += unlinkat(dirfd(stream), entry->d_name, 0) == 0;
    closedir(stream);
    equal("each seen and removed once", removed, 300);
    succeeds("rmdir when empty again", rmdir("a"));
}

void test_working_folder() {
    char text[256];
    mkdir("deep", 0755);
    mkdir("deep/er", 0755);
    succeeds("chdir", chdir("deep/er"));
    same("getcwd", getcwd(text, sizeof text), "/tmp/names.d/deep/er");
    fails("getcwd into too little", getcwd(text, 10) ? 0 : -1, ERANGE);
    chdir("..");
    same("chdir ..", getcwd(text, sizeof text), "/tmp/names.d/deep");
    int fd = open("..", O_RDONLY | O_DIRECTORY);
    chdir("er");
    rmdir("../er");
    fails("getcwd of a removed folder", getcwd(text, sizeof text) ? 0 : -1, ENOENT);
    fails("create in a removed folder", open("x", O_WRONLY | O_CREAT, 0600), ENOENT);
    succeeds("fchdir", fchdir(fd));
    same("is where it points", getcwd(text, sizeof text), "/tmp/names.d");
    close(fd);
    fails("chdir to a file", chdir("file"), ENOTDIR);
    fails("fchdir to a closed one", fchdir(fd), EBADF);
    chdir("/");
    chdir("..");
    same(".. of the root is the root", getcwd(text, sizeof text), "/");
    chdir("/tmp");
    chdir("..");
    same(".. leads out of a mount", getcwd(text, sizeof text), "/");
    needs("chdir", chdir("/tmp/names.d"));
    rmdir("deep");
}

void test_links() {
    create("file", "content");
    succeeds("link", link("file", "other"));
    equal("two names", status_of_file("file").st_nlink, 2);
    equal("one inode", status_of_file("file").st_ino, status_of_file("other").st_ino);
    fails("link to an existing name", link("file", "other"), EEXIST);
    fails("link of a folder", link(".", "folder"), EPERM);
    fails("link across file systems", link("file", "/dev/x"), EXDEV);
    unlink("file");
    same("the other name lives on", content_of("other"), "content");
    int fd = open("other", O_RDONLY);
    unlink("other");
    char text[256] = "";
    equal("an unlinked file can still be read", read(fd, text, sizeof text), 7);
    struct stat info;
    fstat(fd, &info);
    equal("with no names left", info.st_nlink, 0);
    close(fd);

    create("file", "content");
    succeeds("symlink", symlink("file", "soft"));
    same("is followed", content_of("soft"), "content");
    equal("readlink", readlink("soft", text, sizeof text), 4);
    equal("readlink is cut", readlink("soft", text, 2), 2);
    fails("readlink of a file", readlink("file", text, 9), EINVAL);
    that("lstat and stat differ", S_ISLNK(status_of_file("soft").st_mode) &&
                                      stat("soft", &info) == 0 && S_ISREG(info.st_mode));
    equal("size of a symbolic link", status_of_file("soft").st_size, 4);
    fails("O_NOFOLLOW", open("soft", O_RDONLY | O_NOFOLLOW), ELOOP);
    fails("O_EXCL does not follow", open("soft", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    unlink("soft");
    that("unlink takes the link, not the file", access("file", F_OK) == 0);
    symlink("loop2", "loop1");
    symlink("loop1", "loop2");
    fails("a loop", open("loop1", O_RDONLY), ELOOP);
    fails("a loop on the way", open("loop1/x", O_RDONLY), ELOOP);
    symlink("missing", "dangling");
    fails("dangling", open("dangling", O_RDONLY), ENOENT);
    close(open("dangling", O_WRONLY | O_CREAT, 0600));
    that("creating through a dangling link", access("missing", F_OK) == 0);
    symlink("/tmp/names.d", "absolute");
    same("absolute link on the way", content_of("absolute/absolute/file"), "content");
    fails("empty target", symlink("", "void"), ENOENT);
    for (const char* name : {"loop1", "loop2", "dangling", "missing", "absolute", "file"})
        unlink(name);
}

void test_rename() {
    create("one", "1");
    create("two", "2");
    succeeds("rename over a file", rename("one", "two"));
    same("replaces it", content_of("two"), "1");
    fails("the old name is gone", access("one", F_OK), ENOENT);
    fails("rename of nothing", rename("one", "two"), ENOENT);
    succeeds("rename to itself", rename("two", "two"));
    mkdir("a", 0755);
    mkdir("a/b", 0755);
    mkdir("c", 0755);
    fails("a folder into itself", rename("a", "a/b/d"), EINVAL);
    fails("a folder over a file", rename("a", "two"), ENOTDIR);
    fails("a file over a folder", rename("two", "a"), EISDIR);
    fails("a folder over a full one", rename("c", "a"), ENOTEMPTY);
    succeeds("a folder over an empty one", rename("a", "c"));
    equal("brings what is in it", access("c/b", F_OK), 0);
    fails("across file systems", rename("two", "/proc/two"), EXDEV);
    succeeds("a folder elsewhere", rename("c/b", "b"));
    equal("its .. moves along", status_of_file("b/..").st_ino, status_of_file(".").st_ino);
    rmdir("b");
    rmdir("c");
    unlink("two");
}

void test_rename_flags() {
    create("one", "1");
    create("two", "2");
    auto renames = [](const char* from, const char* to, unsigned flags) {
        return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
    };
    fails("NOREPLACE over a file", renames("one", "two", RENAME_NOREPLACE), EEXIST);
    fails("NOREPLACE to itself", renames("one", "one", RENAME_NOREPLACE), EEXIST);
    fails("NOREPLACE of nothing", renames("none", "two", RENAME_NOREPLACE), ENOENT);
    same("leaves both", content_of("one") + content_of("two"), "12");
    succeeds("NOREPLACE to a free name", renames("one", "three", RENAME_NOREPLACE));
    same("moves it", content_of("three"), "1");
    fails("flags that nobody knows", renames("three", "one", 1u << 20), EINVAL);
    unlink("two");
    unlink("three");
}

void test_relative() {
    mkdir("base", 0755);
    int base = open("base", O_RDONLY | O_DIRECTORY);
    int fd = openat(base, "file", O_RDWR | O_CREAT, 0640);
    succeeds("openat", fd);
    struct stat info;
    succeeds("fstatat", fstatat(base, "file", &info, 0));
    succeeds("faccessat", faccessat(base, "file", R_OK, 0));
    succeeds("mkdirat", mkdirat(base, "folder", 0755));
    succeeds("renameat", renameat(base, "file", base, "folder/file"));
    succeeds("symlinkat", symlinkat("folder/file", base, "soft"));
    char text[64] = "";
    equal("readlinkat", readlinkat(base, "soft", text, sizeof text), 11);
    succeeds("linkat", linkat(base, "folder/file", base, "hard", 0));
    fstatat(base, "soft", &info, AT_SYMLINK_NOFOLLOW);
    that("AT_SYMLINK_NOFOLLOW", S_ISLNK(info.st_mode));
    succeeds("fchmodat", fchmodat(base, "hard", 0600, 0));
    fstatat(base, "soft", &info, 0);
    equal("reaches the same file", info.st_mode, S_IFREG | 0600);
    fails("relative to a file", openat(fd, "x", O_RDONLY), ENOTDIR);
    fails("relative to a closed one", openat(99, "x", O_RDONLY), EBADF);
    that("an absolute path ignores it", faccessat(99, "/tmp", F_OK, 0) == 0);
    succeeds("unlinkat", unlinkat(base, "soft", 0));
    unlinkat(base, "hard", 0);
    unlinkat(base, "folder/file", 0);
    fails("unlinkat of a folder", unlinkat(base, "folder", 0), EISDIR);
    succeeds("AT_REMOVEDIR", unlinkat(base, "folder", AT_REMOVEDIR));
    close(fd);
    close(base);
    rmdir("base");
}

void test_sizes() {
    int fd = needs("open", open("file", O_RDWR | O_CREAT | O_TRUNC, 0644));
    equal("write past the end", pwrite(fd, "x", 1, 100'000), 1);
    char block[5000];
    memset(block, 'y', sizeof block);
    equal("read of a hole", pread(fd, block, 5000, 50'000), 5000);
    that("zeros", std::string_view(block, 5000) == std::string(5000, '\0'));
    struct stat info;
    fstat(fd, &info);
    equal("size", info.st_size, 100'001);
    that("a hole takes no room", info.st_blocks * 512 <= 8192);
    pwrite(fd, "abcdef", 6, 0);
    succeeds("ftruncate to less", ftruncate(fd, 3));
    succeeds("ftruncate to more", ftruncate(fd, 8));
    same("what was cut off is zero", content_of("file"), std::string_view("abc\0\0\0\0\0", 8));
    succeeds("truncate", truncate("file", 1));
    same("by name", content_of("file"), "a");
    fails("truncate of a folder", truncate(".", 0), EISDIR);
    fails("truncate to less than nothing", ftruncate(fd, -1), EINVAL);
    close(fd);
    fd = open("file", O_RDONLY);
    fails("ftruncate without the right", ftruncate(fd, 0), EINVAL);
    close(fd);
    struct statfs sizes;
    succeeds("statfs", statfs(".", &sizes));
    equal("tmpfs by its number", sizes.f_type, 0x01021994);
    unlink("file");
}

void test_status() {
    create("file", "12345");
    timespec times[2] = {{1'000'000, 0}, {2'000'000'000, 0}};
    succeeds("utimensat", utimensat(AT_FDCWD, "file", times, 0));
    struct stat info = status_of_file("file");
    that("sets both times", info.st_atime == 1'000'000 && info.st_mtime == 2'000'000'000);
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_nsec = UTIME_NOW;
    succeeds("UTIME_OMIT and UTIME_NOW", utimensat(AT_FDCWD, "file", times, 0));
    info = status_of_file("file");
    that("as they say", info.st_atime == 1'000'000 && info.st_mtime != 2'000'000'000);
    times[0].tv_nsec = 1'000'000'000;
    fails("a bad time", utimensat(AT_FDCWD, "file", times, 0), EINVAL);
    equal("size", info.st_size, 5);
    that("one name, a regular file", info.st_nlink == 1 && S_ISREG(info.st_mode));
    succeeds("chmod", chmod("file", 04711));
    equal("mode", status_of_file("file").st_mode, S_IFREG | 04711);
    succeeds("access: there", access("file", F_OK | R_OK));
    chmod("file", 0644);
    fails("access: nobody may run it", access("file", X_OK), EACCES);
    fails("access: odd mode", access("file", 32), EINVAL);
    succeeds("mknod: a pipe with a name", mkfifo("fifo", 0600));
    that("its kind", S_ISFIFO(status_of_file("fifo").st_mode));
    unlink("fifo");
    unlink("file");
}

}  // namespace

int main() {
    mkdir("/tmp/names.d", 0700);
    needs("work folder", chdir("/tmp/names.d"));
    umask(0);
    test_folders();
    test_working_folder();
    test_links();
    test_rename();
    test_rename_flags();
    test_relative();
    test_sizes();
    test_status();
    rmdir("/tmp/names.d");
    return done();
}

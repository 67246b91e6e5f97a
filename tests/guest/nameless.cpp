// O_TMPFILE: files that no name leads to, which go with their last descriptor unless linkat(2) gives them
// one. On ext2 and on tmpfs; elsewhere there are none. The disk's side is in system/storage_test.sh.
//   nameless hold FOLDER    leaves some behind
// Spec: open(2), linkat(2).
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <vector>

#include "check.hpp"

namespace {

using namespace check;

struct stat status_of_fd(int fd) {
    struct stat s = {};
    needs("fstat", fstat(fd, &s));
    return s;
}
std::string proc_name(int fd) { return "/proc/self/fd/" + std::to_string(fd); }
int give_name(int fd, const std::string& name, int flags = AT_SYMLINK_FOLLOW) {
    return linkat(AT_FDCWD, proc_name(fd).c_str(), AT_FDCWD, name.c_str(), flags);
}
unsigned long free_blocks(const std::string& folder) {
    struct statfs s = {};
    needs("statfs", statfs(folder.c_str(), &s));
    return s.f_bfree;
}

void test_contents(const std::string& folder) {
    const unsigned long before = free_blocks(folder);
    const int fd = needs("open", open(folder.c_str(), O_TMPFILE | O_RDWR, 0640));
    struct stat s = status_of_fd(fd);
    equal("no name", s.st_nlink, 0);
    equal("regular", s.st_mode, S_IFREG | 0640);
    equal("flags", fcntl(fd, F_GETFL) & (O_TMPFILE | O_ACCMODE), O_TMPFILE | O_RDWR);
    const std::string data(100000, 'n');
    equal("write", write(fd, data.data(), data.size()), long(data.size()));
    std::string back(data.size(), 0);
    equal("read", pread(fd, back.data(), back.size(), 0), long(back.size()));
    that("the same", back == data);
    succeeds("fsync", fsync(fd));
    auto* map = static_cast<char*>(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0));
    equal("mapped", map[100], 'n');
    char text[256] = "";
    succeeds("readlink", readlink(proc_name(fd).c_str(), text, sizeof text - 1));
    same("its place", text, folder + "/#" + std::to_string(s.st_ino) + " (deleted)");
    const int again = needs("opened again", open(proc_name(fd).c_str(), O_RDONLY));
    equal("is the same", status_of_fd(again).st_ino, s.st_ino);
    close(again);
    that("takes room", free_blocks(folder) < before);
    close(fd);
    munmap(map, 4096);
    sync();
    equal("which is free again", free_blocks(folder), before);
}

void test_names(const std::string& folder) {
    const std::string name = folder + "/named", other = folder + "/other";
    const int fd = needs("open", open(folder.c_str(), O_TMPFILE | O_WRONLY, 0600));
    needs("write", write(fd, "kept", 4));
    fails("not the link itself", give_name(fd, name, 0), EXDEV);
    fails("another file system", give_name(fd, "/dev/x"), EXDEV);
    succeeds("gets a name", give_name(fd, name));
    equal("one", status_of_fd(fd).st_nlink, 1);
    fails("which is there now", give_name(fd, name), EEXIST);
    succeeds("a second one", give_name(fd, other));
    equal("two", status_of_fd(fd).st_nlink, 2);
    struct stat s;
    succeeds("by name", stat(name.c_str(), &s));
    equal("the same file", s.st_ino, status_of_fd(fd).st_ino);
    succeeds("unlink", unlink(name.c_str()));
    succeeds("and the other", unlink(other.c_str()));
    fails("gone for good", give_name(fd, name), ENOENT);
    close(fd);

    const int exclusive =
        needs("exclusive", open(folder.c_str(), O_TMPFILE | O_EXCL | O_RDWR, 0600));
    fails("never gets a name", give_name(exclusive, name), ENOENT);
    fails("nor by descriptor", linkat(exclusive, "", AT_FDCWD, name.c_str(), AT_EMPTY_PATH),
          ENOENT);
    close(exclusive);

    const int empty = needs("open", open(folder.c_str(), O_TMPFILE | O_RDWR, 0600));
    fails("an empty name", linkat(empty, "", AT_FDCWD, name.c_str(), 0), ENOENT);
    succeeds("with the flag", linkat(empty, "", AT_FDCWD, name.c_str(), AT_EMPTY_PATH));
    needs("chdir", chdir(folder.c_str()));
    fails("a folder", linkat(AT_FDCWD, "", AT_FDCWD, other.c_str(), AT_EMPTY_PATH), EPERM);
    needs("chdir", chdir("/"));
    unlink(name.c_str());
    close(empty);
    exits("not everybody may", 0, [&] {
        const int own = needs("own", open(folder.c_str(), O_TMPFILE | O_RDWR, 0600));
        needs("setuid", setuid(1000));
        fails("by descriptor", linkat(own, "", AT_FDCWD, name.c_str(), AT_EMPTY_PATH), ENOENT);
        fails("nor write to the folder", give_name(own, name), EACCES);
        fails("nor make one", open(folder.c_str(), O_TMPFILE | O_RDWR, 0600), EACCES);
        return failures;
    });
    const int renamed = needs("open", open(folder.c_str(), O_TMPFILE | O_RDWR, 0600));
    succeeds("named", give_name(renamed, name));
    succeeds("renamed", rename(name.c_str(), other.c_str()));
    succeeds("and removed", unlink(other.c_str()));
    close(renamed);
}

void test_arguments(const std::string& folder) {
    const char* const at = folder.c_str();
    fails("only reading", open(at, O_TMPFILE | O_RDONLY, 0600), EINVAL);
    fails("creating", open(at, O_TMPFILE | O_RDWR | O_CREAT, 0600), EINVAL);
    fails("half the flag", open(at, (O_TMPFILE & ~O_DIRECTORY) | O_RDWR, 0600), EINVAL);
    fails("no folder", open((folder + "/none").c_str(), O_TMPFILE | O_RDWR, 0600), ENOENT);
    const std::string file = folder + "/file";
    close(needs("file", open(file.c_str(), O_CREAT | O_WRONLY, 0600)));
    fails("a file", open(file.c_str(), O_TMPFILE | O_RDWR, 0600), ENOTDIR);
    unlink(file.c_str());
    const mode_t mask = umask(077);
    const int masked = needs("open", open(at, O_TMPFILE | O_RDWR, 0666));
    equal("the mask counts", status_of_fd(masked).st_mode & 0777, 0600);
    close(masked);
    umask(mask);
    const std::string group = folder + "/group";
    needs("mkdir", mkdir(group.c_str(), 0777));
    needs("chown", chown(group.c_str(), 0, 77));
    needs("chmod", chmod(group.c_str(), 02777));
    const int fd = needs("open", open(group.c_str(), O_TMPFILE | O_RDWR, 0600));
    equal("the folder's group", status_of_fd(fd).st_gid, 77);
    succeeds("whose folder may go", rmdir(group.c_str()));
    fails("and then no name is made in it", give_name(fd, group + "/x"), ENOENT);
    close(fd);
    const int place = needs("place", open(at, O_TMPFILE | O_RDWR | O_PATH));
    that("only the place", S_ISDIR(status_of_fd(place).st_mode));
    close(place);
}

// Many, that get names or go in any order: the list on the disk knows only its ends.
void test_many(const std::string& folder) {
    sync();
    const unsigned long before = free_blocks(folder);
    std::vector<int> files;
    const std::string data(5000, 'm');
    for (int i = 0; i < 40; ++i) {
        files.push_back(needs("open", open(folder.c_str(), O_TMPFILE | O_RDWR, 0600)));
        needs("write", write(files.back(), data.data(), data.size()));
        if (i % 10 == 9) sync();
    }
    for (int i = 0; i < 40; i += 3)
        needs("name", give_name(files[i], folder + "/m" + std::to_string(i)));
    sync();
    for (int i = 1; i < 40; i += 3) close(files[i]);
    fsync(files[2]);
    for (int i = 0; i < 40; i += 6) {
        needs("grow", pwrite(files[i], data.data(), data.size(), 5000));
        needs("unlink", unlink((folder + "/m" + std::to_string(i)).c_str()));
    }
    for (int i = 2; i < 40; i += 3) close(files[i]);
    sync();
    for (int i = 0; i < 40; i += 3) close(files[i]);
    int whole = 0;
    for (int i = 3; i < 40; i += 6) {
        std::string back(6000, 0);
        const int fd = open((folder + "/m" + std::to_string(i)).c_str(), O_RDONLY);
        whole += read(fd, back.data(), back.size()) == 5000 && back.substr(0, 5000) == data;
        close(fd);
        unlink((folder + "/m" + std::to_string(i)).c_str());
    }
    equal("those with a name are whole", whole, 7);
    sync();
    sync();
    equal("all room is back", free_blocks(folder), before);
}

// For system/storage_test.sh: three such files stay open, the one in the middle has got a name.
int hold(const std::string& folder) {
    int files[3];
    for (int& fd : files) {
        fd = needs("open", open(folder.c_str(), O_TMPFILE | O_RDWR, 0600));
        needs("write", write(fd, "whole\n", 6));
        sync();
    }
    needs("name", give_name(files[1], folder + "/named"));
    sync();
    if (fork() == 0) pause();
    return 0;
}

}  // namespace

int main(int count, char** words) {
    if (count == 3 && !strcmp(words[1], "hold")) return hold(words[2]);
    needs("tmpfs", mount("none", "/mnt", "tmpfs", 0, nullptr));
    for (const std::string folder : {"/var/nameless", "/mnt/nameless"}) {
        print("in " + folder + "\n");
        needs("folder", mkdir(folder.c_str(), 0755));
        close(needs("room for names", open((folder + "/a").c_str(), O_CREAT | O_WRONLY, 0600)));
        sync();
        test_contents(folder);
        test_names(folder);
        test_arguments(folder);
        test_many(folder);
    }
    const int busy = needs("open", open("/mnt/nameless", O_TMPFILE | O_RDWR, 0600));
    fails("keeps its file system", umount("/mnt"), EBUSY);
    close(busy);
    succeeds("which may go then", umount("/mnt"));
    fails("not in /proc", open("/proc", O_TMPFILE | O_RDWR, 0600), EOPNOTSUPP);
    fails("not in /dev", open("/dev", O_TMPFILE | O_RDWR, 0600), EOPNOTSUPP);
    return done();
}

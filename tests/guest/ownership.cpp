// Who may do what: search, read and write by owner, group and others, real and effective ids,
// supplementary groups; sticky and set-group-id folders; what changes of hands and of contents do to
// set-user-id programs; times. On tmpfs and on ext2.
// Spec: path_resolution(7), access(2), chmod(2), chown(2), unlink(2), utimensat(2), credentials(7).
#include <dirent.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "check.hpp"

namespace {

using namespace check;

constexpr uid_t kUser = 1000, kOther = 1001;
constexpr gid_t kGroup = 500, kOwnGroup = 1000;

// In a child that has become this user, in kGroup too if `member`.
template <typename Body>
void as(uid_t uid, const char* what, Body body, bool member = false) {
    exits(what, 0, [&] {
        const gid_t groups[] = {kGroup};
        if (setgroups(member ? 1 : 0, groups) || setresgid(kOwnGroup, kOwnGroup, kOwnGroup) ||
            setresuid(uid, uid, uid))
            return 99;
        body();
        return failures ? 1 : 0;
    });
}
void make(const char* name, mode_t mode, uid_t uid = 0, gid_t gid = 0) {
    unlink(name);
    close(needs(name, open(name, O_CREAT | O_WRONLY, 0600)));
    needs("chown", chown(name, uid, gid));
    needs("chmod", chmod(name, mode));
}
void make_folder(const char* name, mode_t mode, uid_t uid = 0, gid_t gid = 0) {
    needs(name, mkdir(name, 0700));
    needs("chown", chown(name, uid, gid));
    needs("chmod", chmod(name, mode));
}
int opens(const char* name, int flags) {
    const int fd = open(name, flags, 0666);
    if (fd >= 0) close(fd);
    return fd < 0 ? -1 : 0;
}
mode_t mode_of(const char* name) {
    struct stat s;
    needs(name, lstat(name, &s));
    return s.st_mode & 07777;
}

void test_search() {
    make_folder("closed", 0700);
    make("closed/file", 0666);
    make_folder("passage", 0711);
    make("passage/file", 0666);
    as(kUser, "another's folders", [] {
        struct stat s;
        fails("stat below a closed one", stat("closed/file", &s), EACCES);
        fails("open below it", opens("closed/file", O_RDONLY), EACCES);
        fails("what isn't there below it", stat("closed/none", &s), EACCES);
        fails("chdir", chdir("closed"), EACCES);
        fails("unlink", unlink("closed/file"), EACCES);
        fails("rename out of it", rename("closed/file", "x"), EACCES);
        succeeds("by name through a passage", opens("passage/file", O_RDWR));
        fails("but no list", opens("passage", O_RDONLY), EACCES);
        fails("nor a new name", opens("passage/new", O_CREAT | O_WRONLY), EACCES);
        fails("nor one less", unlink("passage/file"), EACCES);
        fails("nor a folder", mkdir("passage/new", 0700), EACCES);
        fails("nor a link", symlink("x", "passage/new"), EACCES);
        fails("O_CREAT of what is there", opens("passage/file", O_CREAT | O_EXCL | O_RDWR), EEXIST);
    });
}

void test_classes() {
    make("group", 0640, 0, kGroup);
    make("mine", 0077, kUser, kGroup);
    make("others", 0604, 0, kGroup);
    as(
        kUser, "a member of the group",
        [] {
            succeeds("may read", opens("group", O_RDONLY));
            fails("may not write", opens("group", O_RDWR), EACCES);
            fails("an owner is nothing but that", opens("mine", O_RDONLY), EACCES);
            fails("nor is a member among the others", opens("others", O_RDONLY), EACCES);
        },
        true);
    as(kUser, "no member", [] {
        fails("may not read", opens("group", O_RDONLY), EACCES);
        succeeds("but as one of the others", opens("others", O_RDONLY));
    });
    exits("real and effective ids", 0, [] {
        make("private", 0600, kUser, kGroup);
        needs("effective", seteuid(kOther));
        fails("open asks for the effective one", opens("private", O_RDONLY), EACCES);
        succeeds("access for the real one", access("private", R_OK | W_OK));
        needs("back", seteuid(0));
        needs("real", setresuid(kOther, 0, 0));
        succeeds("open", opens("private", O_RDWR));
        fails("access", access("private", R_OK), EACCES);
        fails("the superuser executes no plain file", access("private", X_OK), EACCES);
        return failures ? 1 : 0;
    });
    fails("not even the superuser", access("private", X_OK), EACCES);
}

void test_changes() {
    make("theirs", 0666, kOther, kGroup);
    make("mine", 0644, kUser, kGroup);
    as(kUser, "another's file", [] {
        fails("chmod", chmod("theirs", 0777), EPERM);
        fails("chown", chown("theirs", kUser, gid_t(-1)), EPERM);
        fails("chown of one's own", chown("mine", kOther, gid_t(-1)), EPERM);
        fails("to a group of others", chown("mine", uid_t(-1), 77), EPERM);
        succeeds("to one's own group", chown("mine", uid_t(-1), kOwnGroup));
        const timespec past[] = {{1, 0}, {2, 0}};
        fails("times of another's", utimensat(AT_FDCWD, "theirs", past, 0), EPERM);
        succeeds("but to now, who may write", utimensat(AT_FDCWD, "theirs", nullptr, 0));
        succeeds("times of one's own", utimensat(AT_FDCWD, "mine", past, 0));
        fails("no time kept", opens("theirs", O_RDONLY | O_NOATIME), EPERM);
        fails("a device", mknod("device", S_IFCHR | 0600, makedev(1, 3)), EPERM);
    });
    make("mine", 0600, kUser, kGroup);
    as(kUser, "a group that isn't one's own", [] {
        succeeds("chmod", chmod("mine", 02755));
        equal("without set-group-id", mode_of("mine"), 0755);
    });
    as(
        kUser, "a group that is",
        [] {
            succeeds("chmod", chmod("mine", 02755));
            equal("with it", mode_of("mine"), 02755);
        },
        true);
}

void test_sticky() {
    make_folder("sticky", 01777, kOther);
    make("sticky/theirs", 0666);
    make("sticky/mine", 0666, kUser);
    make_folder("sticky/folder", 0777);
    as(kUser, "in a sticky folder", [] {
        fails("another's file", unlink("sticky/theirs"), EPERM);
        fails("another's folder", rmdir("sticky/folder"), EPERM);
        fails("rename of another's", rename("sticky/theirs", "sticky/x"), EPERM);
        fails("over another's", rename("sticky/mine", "sticky/theirs"), EPERM);
        succeeds("rename of one's own", rename("sticky/mine", "sticky/x"));
        succeeds("a link to another's", link("sticky/theirs", "sticky/link"));
        fails("which remains another's", unlink("sticky/link"), EPERM);
        succeeds("one's own", unlink("sticky/x"));
    });
    as(kOther, "the folder's owner", [] { succeeds("may", unlink("sticky/theirs")); });
}

void test_set_group() {
    make_folder("shared", 02777, 0, kGroup);
    as(kUser, "in a set-group-id folder", [] {
        struct stat s;
        succeeds("a file", opens("shared/file", O_CREAT | O_WRONLY));
        lstat("shared/file", &s);
        equal("has its group", s.st_gid, kGroup);
        umask(0);
        succeeds("a folder", mkdir("shared/folder", 0755));
        lstat("shared/folder", &s);
        equal("too", s.st_gid, kGroup);
        equal("and its bit", s.st_mode & 07777, 02755);
        umask(010);
        succeeds("a program", close(creat("shared/program", 02777)));
        lstat("shared/program", &s);
        equal("no foreign rights, whatever the umask takes", s.st_mode & 07777, 0767);
        umask(0);
        succeeds("a link", symlink("x", "shared/link"));
        lstat("shared/link", &s);
        equal("too", s.st_gid, kGroup);
    });
}

void write_to(const char* name) {
    const int fd = needs(name, open(name, O_WRONLY));
    equal("write", write(fd, "x", 1), 1);
    close(fd);
}

// A program that another user changed does not run with its owner's rights.
void test_programs() {
    const auto fresh = [](mode_t mode) { make("program", mode, 0, kGroup); };
    fresh(06777);
    write_to("program");
    equal("the superuser's write leaves it", mode_of("program"), 06777);
    const auto cleared = [&](const char* what, mode_t before, mode_t after, auto change) {
        fresh(before);
        as(kUser, what, change, true);
        equal(what, mode_of("program"), after);
    };
    cleared("write", 06777, 0777, [] { write_to("program"); });
    cleared("write, a lock's bit", 02766, 02766, [] { write_to("program"); });
    cleared("truncate", 06777, 0777, [] { succeeds("truncate", truncate("program", 1)); });
    cleared("O_TRUNC", 04777, 0777, [] { succeeds("open", opens("program", O_WRONLY | O_TRUNC)); });
    cleared("ftruncate", 04777, 0777, [] {
        const int fd = needs("open", open("program", O_WRONLY));
        succeeds("ftruncate", ftruncate(fd, 1));
    });
    fresh(06755);
    succeeds("chown", chown("program", kUser, gid_t(-1)));
    equal("chown, even the superuser's", mode_of("program"), 0755);
    make_folder("program's", 06755);
    succeeds("chown of a folder", chown("program's", kUser, kGroup));
    equal("leaves it", mode_of("program's"), 06755);
}

void test_moves() {
    make_folder("from", 0777, kUser);
    make_folder("to", 0777, kUser);
    make_folder("from/locked", 0555, kUser);
    as(kUser, "a folder that may not be written", [] {
        succeeds("has a new name", rename("from/locked", "from/other"));
        fails("but keeps its ..", rename("from/other", "to/other"), EACCES);
    });
}

void in(const char* place) {
    print(std::string("-- ") + place + "\n");
    needs("place", chdir(place));
    needs("folder", mkdir("ownership", 0777));
    needs("its mode", chmod("ownership", 0777));
    needs("there", chdir("ownership"));
    test_search();
    test_classes();
    test_changes();
    test_sticky();
    test_set_group();
    test_programs();
    test_moves();
}

}  // namespace

int main() {
    umask(022);
    in("/tmp");
    in("/var");
    return done();
}

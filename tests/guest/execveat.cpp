// execveat: by a directory's descriptor, by the file's own, links, scripts, and what it refuses.
// Spec: execveat(2), fexecve(3).
// needs: wing
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

int execveat(int at, const char* name, int flags, const char* argument = "child") {
    const char* arguments[] = {"execveat", argument, nullptr};
    const char* environment[] = {"FROM=here", nullptr};
    return int(syscall(SYS_execveat, at, name, arguments, environment, flags));
}

// What a child that calls execveat exits with; its errno if that fails.
template <typename Try>
void becomes(const char* what, int status, Try attempt) {
    exits(what, status, [&] {
        attempt();
        return errno;
    });
}

void write_script(const char* path, const char* text) {
    const int fd = needs("open", open(path, O_CREAT | O_WRONLY | O_TRUNC, 0755));
    needs("write", write(fd, text, strlen(text)));
    close(fd);
}

// The program that was executed: 100, and its name as it was told.
int child(const char* wanted) {
    const char* name = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
    const char* from = getenv("FROM");
    if (!from || strcmp(from, "here") != 0) return 101;
    return strcmp(name, wanted) == 0 ? 100 : (print(std::string(name) + "\n"), 102);
}

}  // namespace

int main(int count, char** arguments) {
    if (count > 1) return child(arguments[1]);
    needs("mkdir", mkdir("/tmp/execveat", 0755));
    needs("symlink", symlink("/proc/self/exe", "/tmp/execveat/magic"));
    char own[128] = {};
    needs("readlink", readlink("/proc/self/exe", own, sizeof own - 1));
    needs("symlink", symlink(own, "/tmp/execveat/link"));
    write_script("/tmp/execveat/script",
                 "#!/bin/sh\ntest \"$0\" = /dev/fd/20/script && exit 104\n");
    const int folder = needs("open", open("/tmp/execveat", O_DIRECTORY | O_CLOEXEC));
    needs("dup2", dup2(folder, 20));
    const int program = needs("open", open(own, O_RDONLY | O_CLOEXEC));
    needs("dup3", dup3(program, 21, O_CLOEXEC));
    const int script = needs("open", open("/tmp/execveat/script", O_RDONLY | O_CLOEXEC));

    becomes("by its path", 100, [&] { execveat(AT_FDCWD, own, 0, own); });
    becomes("an absolute path needs no directory", 100, [&] { execveat(-1, own, 0, own); });
    becomes("below a directory", 100, [&] { execveat(20, "link", 0, "/dev/fd/20/link"); });
    becomes("the open file", 100, [&] { execveat(21, "", AT_EMPTY_PATH, "/dev/fd/21"); });
    becomes("fexecve", 100, [&] {
        const char* words[] = {"x", "/dev/fd/21", nullptr};
        const char* environment[] = {"FROM=here", nullptr};
        fexecve(21, const_cast<char**>(words), const_cast<char**>(environment));
    });
    becomes("a script below a directory", 104, [&] { execveat(20, "script", 0); });
    becomes("a script that its interpreter can't reach", ENOENT,
            [&] { execveat(script, "", AT_EMPTY_PATH); });
    becomes("nor below such a directory", ENOENT, [&] { execveat(folder, "script", 0); });
    becomes("no name", ENOENT, [&] { execveat(21, "", 0); });
    becomes("no such flag", EINVAL, [&] { execveat(21, "", AT_EMPTY_PATH | 1); });
    becomes("a link, not to be followed", ELOOP,
            [&] { execveat(20, "link", AT_SYMLINK_NOFOLLOW); });
    becomes("no descriptor", EBADF, [&] { execveat(99, "link", 0); });
    becomes("no descriptor of a file", EBADF, [&] { execveat(99, "", AT_EMPTY_PATH); });
    becomes("not a directory", ENOTDIR, [&] { execveat(21, "link", 0); });
    becomes("a directory", EACCES, [&] { execveat(20, "", AT_EMPTY_PATH); });
    becomes("the working directory", EACCES, [&] { execveat(AT_FDCWD, "", AT_EMPTY_PATH); });
    becomes("a pipe", EACCES, [&] {
        int ends[2];
        needs("pipe", pipe(ends));
        execveat(ends[0], "", AT_EMPTY_PATH);
    });
    becomes("bad memory", EFAULT, [&] { execveat(20, reinterpret_cast<const char*>(4), 0); });
    return done();
}

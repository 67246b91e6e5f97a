// ipcrm: removes System V queues, segments and semaphore sets. In the place of BusyBox's, where that
// was built without it.
//   ipcrm [-q ID] [-m ID] [-s ID] [-Q KEY] [-M KEY] [-S KEY]...     by id, or by key
//   ipcrm msg|shm|sem ID...                                         the older form
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

int failures = 0;

[[noreturn]] void usage(int status = 1) {
    std::fputs("usage: ipcrm [-q|-m|-s ID] [-Q|-M|-S KEY]... | ipcrm msg|shm|sem ID...\n",
               status ? stderr : stdout);
    std::exit(status);
}

void complain(const char* what, const char* text) {
    std::fprintf(stderr, "ipcrm: %s '%s': %s\n", what, text, std::strerror(errno));
    ++failures;
}

// `kind`: q, m, s, or the capital for a key.
void remove(char kind, const char* text) {
    char* end;
    errno = 0;
    const long number = std::strtol(text, &end, 0);
    if (*end || end == text) errno = EINVAL;
    const bool by_key = kind < 'a';
    const auto key = static_cast<key_t>(number);
    if (errno || (by_key && key == IPC_PRIVATE)) {
        if (!errno) errno = EINVAL;
        return complain(by_key ? "key" : "id", text);
    }
    int id = static_cast<int>(number), result = -1;
    switch (kind | 0x20) {
        case 'q':
            if (by_key) id = msgget(key, 0);
            if (id >= 0 || !by_key) result = msgctl(id, IPC_RMID, nullptr);
            break;
        case 'm':
            if (by_key) id = shmget(key, 0, 0);
            if (id >= 0 || !by_key) result = shmctl(id, IPC_RMID, nullptr);
            break;
        default:
            if (by_key) id = semget(key, 0, 0);
            if (id >= 0 || !by_key) result = semctl(id, 0, IPC_RMID, 0);
    }
    if (result < 0) complain(by_key ? "key" : "id", text);
}

char kind_named(std::string_view name) {
    return name == "msg" ? 'q' : name == "shm" ? 'm' : name == "sem" ? 's' : 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) usage();
    if (std::strcmp(argv[1], "--help") == 0) usage(0);
    if (const char kind = kind_named(argv[1])) {
        if (argc < 3) usage();
        for (int i = 2; i < argc; ++i) remove(kind, argv[i]);
        return failures != 0;
    }
    for (int option; (option = getopt(argc, argv, "q:m:s:Q:M:S:")) != -1;) {
        if (option == '?') usage();
        remove(static_cast<char>(option), optarg);
    }
    if (optind != argc) usage();
    return failures != 0;
}

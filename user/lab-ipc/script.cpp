// lab-ipc script: processes that act one after the other, and who waits for whom. After each act a line tells
// what was done because of it, and who waits and where (/proc/PID/wchan). Bytes of a pipe, messages and items
// are numbered, so that what comes out is known.
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "user/lab-ipc/lab.hpp"
#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"

namespace {

constexpr uint32_t kMostBytes = 100'000;  // of an act

// What an actor, a process, and the director both see.
struct Place {
    sem_t go;
    bool busy;    // from the director's order to its end
    long number;  // of the act, or where in the pipe's bytes it begins to write
    long arguments[2];
    char verb[16];
    long result;  // or -1 and the error
    int error;
    long type;  // of a message
    uint8_t data[kMostBytes];
};

struct Actor {
    std::string name;
    pid_t pid;
    Place* place;
};

uint8_t byte_at(long position) {
    return static_cast<uint8_t>((position * 7 + position / 251) % 251);
}

// One means, as actors use it. `act` runs in the actor's process, `tell` in the director's.
class Channel {
  public:
    virtual ~Channel() = default;
    virtual void begin(char) {}  // in the actor's process: of which kind it is
    virtual void opened() {}     // in the director's, when all actors are there
    virtual long act(Place& place) = 0;
    virtual std::string tell(const Place& place) = 0;
    virtual void number(Place& place) { place.number = ++acts_; }

  private:
    long acts_ = 0;
};

class PipeChannel final : public Channel {
  public:
    explicit PipeChannel(long room) {
        made(pipe(ends_), "pipe");
        made(fcntl(ends_[1], F_SETPIPE_SZ, static_cast<int>(room)), "F_SETPIPE_SZ");
        signal(SIGPIPE, SIG_IGN);
    }
    void begin(char kind) override { close(ends_[kind == 'w' ? 0 : 1]); }
    void opened() override {
        close(ends_[0]);
        close(ends_[1]);
    }
    void number(Place& place) override {
        place.number = written_;
        if (!strcmp(place.verb, "write")) written_ += place.arguments[0];
    }
    long act(Place& place) override {
        const size_t bytes = static_cast<size_t>(place.arguments[0]);
        if (!strcmp(place.verb, "read")) return read(ends_[0], place.data, bytes);
        if (!strcmp(place.verb, "close")) return close(ends_[0]), close(ends_[1]), 0;
        for (size_t i = 0; i < bytes; ++i)
            place.data[i] = byte_at(place.number + static_cast<long>(i));
        return write(ends_[1], place.data, bytes);
    }
    std::string tell(const Place& place) override {
        if (place.result < 0) return place.error == EPIPE ? "EPIPE" : strerror(place.error);
        if (!strcmp(place.verb, "close")) return "closed";
        const std::string bytes = std::to_string(place.result);
        if (!strcmp(place.verb, "write")) return "wrote " + bytes;
        if (place.result == 0) return "end of file";
        long i = 0;
        while (i < place.result && place.data[i] == byte_at(read_ + i)) ++i;
        const long wrong = i < place.result ? read_ + i : -1;
        read_ += place.result;
        return "read " + bytes + (wrong < 0 ? "" : ", WRONG at byte " + std::to_string(wrong));
    }

  private:
    int ends_[2];
    long written_ = 0, read_ = 0;
};

// A message's text begins with the number of the act that sent it.
class MailboxChannel final : public Channel {
  public:
    explicit MailboxChannel(long room) {
        id_ = static_cast<int>(made(msgget(IPC_PRIVATE, 0600), "msgget"));
        msqid_ds state;
        made(msgctl(id_, IPC_STAT, &state), "msgctl");
        state.msg_qbytes = static_cast<msglen_t>(room);
        made(msgctl(id_, IPC_SET, &state), "msgctl");
    }
    ~MailboxChannel() override { msgctl(id_, IPC_RMID, nullptr); }
    long act(Place& place) override {
        struct {
            long type;
            long number;
            char rest[8192];
        } message = {place.arguments[0], place.number, {}};
        const int flags = strstr(place.verb, "now") ? IPC_NOWAIT : 0;
        if (!strncmp(place.verb, "send", 4))
            return msgsnd(id_, &message, static_cast<size_t>(place.arguments[1]), flags);
        const long bytes =
            msgrcv(id_, &message, sizeof message - sizeof message.type, place.arguments[0], flags);
        place.type = message.type;
        place.number = message.number;
        return bytes;
    }
    std::string tell(const Place& place) override {
        if (place.result < 0)
            return place.error == EAGAIN   ? "EAGAIN"
                   : place.error == ENOMSG ? "ENOMSG"
                                           : strerror(place.error);
        if (!strncmp(place.verb, "send", 4)) return "sent";
        return "got message " + std::to_string(place.number) + " of type " +
               std::to_string(place.type) + ", " + std::to_string(place.result) + " bytes";
    }

  private:
    int id_;
};

// Items in shared memory: a word each, which is what the item's number says.
class SharedChannel final : public Channel {
  public:
    explicit SharedChannel(long places)
        : means_(make_shared({0, kRoom / static_cast<uint32_t>(places) / 4 * 4})) {}
    long act(Place& place) override {
        if (!strcmp(place.verb, "make")) {
            *means_->place() = static_cast<uint32_t>(++count_);
            means_->send();
            return count_;
        }
        if (!strcmp(place.verb, "receive")) return static_cast<long>(*means_->receive());
        means_->release();
        return 0;
    }
    std::string tell(const Place& place) override {
        const std::string item = "item " + std::to_string(place.result);
        return !strcmp(place.verb, "make")      ? "made " + item
               : !strcmp(place.verb, "receive") ? "got " + item
                                                : "released";
    }

  private:
    std::unique_ptr<Means> means_;
    long count_ = 0;
};

[[noreturn]] void live(Channel& channel, Place& place, char kind) {
    channel.begin(kind);
    for (;;) {
        while (sem_wait(&place.go) != 0) {
        }
        errno = 0;
        place.result = channel.act(place);
        place.error = errno;
        __atomic_store_n(&place.busy, false, __ATOMIC_RELEASE);
    }
}

bool busy(const Actor& actor) { return __atomic_load_n(&actor.place->busy, __ATOMIC_ACQUIRE); }

bool sleeps(const Actor& actor) {
    const std::string stat = lab::read_file("/proc/" + std::to_string(actor.pid) + "/stat");
    const size_t end = stat.rfind(')');
    return end != stat.npos && stat.compare(end, 3, ") S") == 0;
}

// Until each that acts sleeps or is done: seen twice, a while apart.
void settle(const std::vector<Actor>& actors) {
    for (int calm = 0; calm < 2;) {
        usleep(1000);
        const bool all = std::all_of(actors.begin(), actors.end(), [](const Actor& actor) {
            return !busy(actor) || (sleeps(actor) && busy(actor));
        });
        calm = all ? calm + 1 : 0;
    }
}

struct Act {
    std::string name, verb;
    std::vector<long> arguments;
};

struct Kind {
    const char* name;
    const char* verbs;  // VERB/ARGUMENTS
    long room;          // unless told otherwise
};
constexpr Kind kKinds[] = {{"pipe", "write/1 read/1 close/0", 8192},
                           {"mailbox", "send/2 sendnow/2 receive/1 receivenow/1", 100},
                           {"shared", "make/0 receive/0 release/0", 3}};

Act parsed(const Kind& kind, const std::string& word) {
    const std::vector<std::string> parts = lab::split(word, ":");
    if (parts.size() < 2) lab::refuse("'%s' is no act; like w1:write:100", word.c_str());
    Act act{parts[0], parts[1], {}};
    for (size_t i = 2; i < parts.size(); ++i)
        act.arguments.push_back(lab::number("an argument", parts[i], -1000, kMostBytes));
    const std::string form = act.verb + "/" + std::to_string(act.arguments.size());
    const std::vector<std::string> forms = lab::split(kind.verbs, " ");
    if (std::find(forms.begin(), forms.end(), form) == forms.end())
        lab::refuse("'%s' is no act of a %s: %s", word.c_str(), kind.name, kind.verbs);
    return act;
}

std::unique_ptr<Channel> make_channel(const Kind& kind, long room) {
    if (kind.name[0] == 'p') return std::make_unique<PipeChannel>(room);
    if (kind.name[0] == 'm') return std::make_unique<MailboxChannel>(room);
    return std::make_unique<SharedChannel>(room);
}

}  // namespace

int run_script(const std::vector<std::string>& words, long room) {
    std::vector<std::string> names;
    for (const Kind& kind : kKinds) names.push_back(kind.name);
    if (words.size() < 3) lab::refuse("script wants MEANS (%s) and acts", lab::join(names).c_str());
    lab::one_of("MEANS", words[1], names);
    const Kind& kind = *std::find_if(std::begin(kKinds), std::end(kKinds),
                                     [&](const Kind& k) { return words[1] == k.name; });
    std::vector<Act> acts;
    for (size_t i = 2; i < words.size(); ++i) acts.push_back(parsed(kind, words[i]));

    const std::unique_ptr<Channel> channel = make_channel(kind, room ? room : kind.room);
    std::vector<Actor> actors;
    for (const Act& act : acts) {
        if (std::any_of(actors.begin(), actors.end(),
                        [&](const Actor& a) { return a.name == act.name; }))
            continue;
        void* place =
            mmap(nullptr, sizeof(Place), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (place == MAP_FAILED) fail("mmap");
        Actor actor{act.name, 0, static_cast<Place*>(place)};
        sem_init(&actor.place->go, 1, 0);
        actor.pid = fork();
        if (actor.pid < 0) fail("fork");
        if (actor.pid == 0) live(*channel, *actor.place, act.name[0]);
        actors.push_back(actor);
    }
    channel->opened();

    std::vector<bool> waited(actors.size());
    for (size_t i = 0; i < acts.size(); ++i) {
        const Act& act = acts[i];
        Actor& actor = *std::find_if(actors.begin(), actors.end(),
                                     [&](const Actor& a) { return a.name == act.name; });
        // An event of the trace, at which a debugger can stop (scripts/debug --at).
        lab::write_file("/proc/trace_marker", "step " + std::to_string(i + 1));
        std::string done;
        const bool given = !busy(actor);
        if (!given) {
            done = " " + actor.name + " still waits";
        } else {
            Place& place = *actor.place;
            strncpy(place.verb, act.verb.c_str(), sizeof place.verb - 1);
            std::copy(act.arguments.begin(), act.arguments.end(), place.arguments);
            channel->number(place);
            place.busy = true;
            sem_post(&place.go);
        }
        settle(actors);
        std::string waiting;
        for (size_t k = 0; k < actors.size(); ++k) {
            const bool was = waited[k] || (given && &actors[k] == &actor);
            waited[k] = busy(actors[k]);
            if (waited[k])
                waiting += " " + actors[k].name + " (" +
                           lab::read_file("/proc/" + std::to_string(actors[k].pid) + "/wchan") +
                           ")";
            else if (was)
                done += (done.empty() ? " " : ", ") + actors[k].name + " " +
                        channel->tell(*actors[k].place);
        }
        printf("%-16s%s; waiting:%s\n", words[i + 2].c_str(), done.empty() ? " -" : done.c_str(),
               waiting.empty() ? " -" : waiting.c_str());
        fflush(stdout);
    }
    for (const Actor& actor : actors) kill(actor.pid, SIGKILL);
    for (const Actor& actor : actors) waitpid(actor.pid, nullptr, 0);
    return 0;
}

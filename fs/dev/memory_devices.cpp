// The devices of major 1: null, zero, full, random, urandom, kmsg. No locks, no allocation on the
// paths of null, zero and full.
// Spec: null(4), full(4), random(4); kmsg's writing side as in Linux's dev-kmsg.
#include "fs/dev/device_files.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/random.hpp"
#include "kernel/sched/scheduler.hpp"

namespace {

constexpr uint8_t kFewZeros[64] = {};

Result<uint32_t> give_zeros(ByteSink& to) {
    const uint32_t wanted = to.remaining();
    const uint32_t done =
        wanted <= sizeof kFewZeros ? to.put(kFewZeros, wanted) : to.put_zeros(wanted);
    return done || !wanted ? Result(done) : Errno::fault;
}

class UniformFile : public DeviceFile {
  public:
    using DeviceFile::DeviceFile;
    bool uniform() const final { return true; }
};

class NullFile final : public UniformFile {
  public:
    using UniformFile::UniformFile;
    Result<uint32_t> read_at(ByteSink&, uint64_t) override { return 0u; }
    Result<uint32_t> write_at(ByteSource& from, uint64_t) override { return from.remaining(); }
};

class ZeroFile final : public UniformFile {
  public:
    using UniformFile::UniformFile;
    Result<uint32_t> read_at(ByteSink& to, uint64_t) override { return give_zeros(to); }
    Result<uint32_t> write_at(ByteSource& from, uint64_t) override { return from.remaining(); }
    Result<Ref<Pager>> pager() override { return Ref<Pager>(); }  // each mapping its own memory
};

class FullFile final : public UniformFile {
  public:
    using UniformFile::UniformFile;
    Result<uint32_t> read_at(ByteSink& to, uint64_t) override { return give_zeros(to); }
    Result<uint32_t> write_at(ByteSource&, uint64_t) override { return Errno::nospc; }
};

class RandomFile final : public DeviceFile {
  public:
    using DeviceFile::DeviceFile;
    Result<uint32_t> read_at(ByteSink& to, uint64_t) override {
        uint8_t bytes[256];
        uint32_t total = 0;
        while (to.remaining()) {
            const uint32_t piece = std::min<uint32_t>(to.remaining(), sizeof bytes);
            random_bytes(bytes, piece);
            const uint32_t done = to.put(bytes, piece);
            total += done;
            if (done < piece) return total ? Result(total) : Errno::fault;
            // A long read is slow: others run in between, and a signal ends it.
            if (total % kPageSize == 0) {
                reschedule_if_wanted();
                if (Thread::current().interrupt_pending) break;
            }
        }
        return total;
    }
    // Spec: random(4). The state is full from the start, and takes nothing in.
    Result<int32_t> ioctl(uint32_t request, uint32_t argument) override {
        constexpr uint32_t kGetEntropy = 0x80045200;
        constexpr int32_t kBits = 256;
        if (request != kGetEntropy) return Errno::inval;
        TRY(write_user(UserPtr<int32_t>(argument), kBits));
        return 0;
    }
    // Our state needs no help, and nobody may weaken a seeded run's.
    Result<uint32_t> write_at(ByteSource& from, uint64_t) override { return from.remaining(); }
};

// Each write is one line of the log: "<LEVEL>text".
class LogFile final : public DeviceFile {
  public:
    using DeviceFile::DeviceFile;
    Result<uint32_t> write_at(ByteSource& from, uint64_t) override {
        char line[256];
        const uint32_t wanted = from.remaining();
        const uint32_t taken = from.take(line, std::min<uint32_t>(wanted, sizeof line));
        if (!taken) return wanted ? Errno::fault : Result<uint32_t>(0u);
        std::string_view text(line, taken);
        uint64_t level = static_cast<uint64_t>(LogLevel::warning);
        if (const size_t end = text.find('>'); text[0] == '<' && end != text.npos) {
            if (!parse_number(text.substr(1, end - 1), level)) return Errno::inval;
            text.remove_prefix(end + 1);
        }
        if (text.ends_with('\n')) text.remove_suffix(1);
        log_at(static_cast<LogLevel>(level & 7), "{}", text);
        return wanted;
    }
};

enum MemoryMinor : uint32_t { null = 3, zero = 5, full = 7, random = 8, urandom = 9, kmsg = 11 };

Result<Ref<File>> open_memory_device(Inode& node, uint32_t minor, uint32_t flags) {
    switch (minor) {
        case null: return TRY(make_ref<NullFile>(flags, node));
        case zero: return TRY(make_ref<ZeroFile>(flags, node));
        case full: return TRY(make_ref<FullFile>(flags, node));
        case random:
        case urandom: return TRY(make_ref<RandomFile>(flags, node));
        case kmsg: return TRY(make_ref<LogFile>(flags, node));
        default: return Errno::nxio;
    }
}

constinit CharacterDevice memory_devices{kMemoryMajor, null, kmsg - null + 1, open_memory_device};

}  // namespace

void memory_devices_init() { register_character_device(memory_devices); }

// The host's runner as files: hostin, hostout and hosterr are the standard files of the command it
// runs here, and a number written to hoststatus is the status it exits with.
#include "drivers/host_link.hpp"
#include "fs/dev/device_files.hpp"
#include "kernel/lib/format.hpp"

namespace {

class HostInput final : public DeviceFile {
  public:
    using DeviceFile::DeviceFile;
    Result<uint32_t> read_at(ByteSink& to, uint64_t) override {
        return read_through_buffer(
            to, [&](std::span<uint8_t> room) { return host_link_read(room, non_blocking()); });
    }
    bool pollable() const override { return true; }
    uint32_t poll(PollTable* table) override {
        if (table) table->watch(host_link_read_queue());
        return host_link_readable() ? kPollIn : 0;
    }
};

class HostOutput final : public DeviceFile {
  public:
    HostOutput(uint32_t flags, Inode& node, HostStream stream)
        : DeviceFile(flags, node), stream_(stream) {}
    Result<uint32_t> write_at(ByteSource& from, uint64_t) override {
        return write_through_buffer(from, [&](std::span<uint8_t> bytes) -> Result<uint32_t> {
            host_link_write(stream_, bytes);
            return static_cast<uint32_t>(bytes.size());
        });
    }
    bool pollable() const override { return true; }
    uint32_t poll(PollTable*) override { return kPollOut; }

  private:
    HostStream stream_;
};

class HostStatus final : public DeviceFile {
  public:
    using DeviceFile::DeviceFile;
    Result<uint32_t> write_at(ByteSource& from, uint64_t) override {
        char digits[16];
        const uint32_t length = from.take(digits, std::min<uint32_t>(from.remaining(), 16));
        std::string_view text(digits, length);
        if (text.ends_with('\n')) text.remove_suffix(1);
        uint64_t status;
        if (!parse_number(text, status) || status > 255) return Errno::inval;
        host_link_exit(static_cast<uint8_t>(status));
        return length;
    }
};

Result<Ref<File>> open_host_device(Inode& node, uint32_t minor, uint32_t flags) {
    if (!host_link_present()) return Errno::nxio;
    switch (minor) {
        case host_input: return TRY(make_ref<HostInput>(flags, node));
        case host_output: return TRY(make_ref<HostOutput>(flags, node, HostStream::output));
        case host_error: return TRY(make_ref<HostOutput>(flags, node, HostStream::error));
        default: return TRY(make_ref<HostStatus>(flags, node));
    }
}

constinit CharacterDevice host_devices{kHostMajor, host_input, 4, open_host_device};

}  // namespace

void host_devices_init() { register_character_device(host_devices); }

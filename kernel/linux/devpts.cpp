// The file system "devpts": one directory with the names of the slaves' ends, as long as their masters
// are open, and "ptmx". There is one such directory: each mount shows it, and the options of the last
// mount hold for terminals that are made from then on ("newinstance" is accepted, and changes nothing).
// Locks: those of the table (devpts.hpp); nodes are made when looked up.
// Spec: pts(4); Linux Documentation/filesystems/devpts.rst.
#include "kernel/linux/devpts.hpp"

#include "fs/cached_file.hpp"
#include "fs/dev/devfs.hpp"
#include "fs/dev/device_files.hpp"
#include "fs/timestamp.hpp"
#include "kernel/lib/start_up.hpp"

namespace {

constexpr uint32_t kRootNumber = 1, kPtmxNumber = 2, kFirstNumber = 3;
constexpr uint32_t kPtmxDevice = device_number(kOwnTerminalMajor, 2);

class TerminalNode final : public Inode {
  public:
    TerminalNode(FileSystem& fs, PseudoTerminal& terminal) : Inode(fs), terminal_(terminal) {}
    Attributes attributes() override {
        Attributes a = name_attributes(terminal_);
        a.device = file_system().device_number();
        a.inode = InodeNo(terminal_.number() + kFirstNumber);
        return a;
    }
    Result<void> set_attributes(const SetAttributes& changes) override {
        set_name_attributes(terminal_, changes);
        return {};
    }
    Result<Ref<File>> open(uint32_t) override {
        return Errno::nxio;
    }  // devices are opened by number

  private:
    PseudoTerminal& terminal_;
};

class PtmxNode final : public Inode {
  public:
    using Inode::Inode;
    Attributes attributes() override {
        Attributes a;
        a.mode = kTypeCharacter | name_options().ptmx_mode;
        a.device = file_system().device_number();
        a.special_device = kPtmxDevice;
        a.inode = InodeNo(kPtmxNumber);
        a.accessed = a.modified = a.changed = made_;
        return a;
    }
    Result<void> set_attributes(const SetAttributes& changes) override {
        NameOptions options = name_options();
        if (changes.set_mode) options.ptmx_mode = changes.mode & 07777;
        set_name_options(options);
        return {};
    }
    Result<Ref<File>> open(uint32_t) override { return Errno::nxio; }

  private:
    const Timestamp made_ = timestamp_now();
};

class PtsDirectory final : public Inode {
  public:
    using Inode::Inode;
    Attributes attributes() override {
        Attributes a;
        a.mode = kTypeDirectory | 0755;
        a.links = 2;
        a.device = file_system().device_number();
        a.inode = InodeNo(kRootNumber);
        a.accessed = a.modified = a.changed = made_;
        return a;
    }
    Result<Ref<File>> open(uint32_t flags) override {
        return Ref<File>(TRY(make_ref<DirectoryFile>(flags, *this)));
    }
    bool names_cachable() const override { return false; }
    Result<Ref<Inode>> lookup_child(std::string_view name) override {
        if (name == "ptmx") return Ref<Inode>(TRY(make_ref<PtmxNode>(file_system())));
        uint64_t number;
        if (!parse_number(name, number) || number >= PseudoTerminal::kMost ||
            (name.size() > 1 && name[0] == '0'))
            return Errno::noent;
        PseudoTerminal* terminal = pseudo_terminal(static_cast<uint32_t>(number));
        if (!terminal || !terminal->has_master()) return Errno::noent;
        return node_of_terminal(*terminal);
    }
    // Offsets: 0 ".", 1 "..", 2 "ptmx", and from 3 on the terminals' numbers.
    Result<uint64_t> list(DirectorySink& sink, uint64_t offset) override {
        constexpr uint32_t kDirectory = kTypeDirectory >> 12, kDevice = kTypeCharacter >> 12;
        constexpr std::string_view kFixed[] = {".", "..", "ptmx"};
        for (; offset < 3; ++offset)
            if (!sink.add(kFixed[offset], InodeNo(offset < 2 ? kRootNumber : kPtmxNumber),
                          offset < 2 ? kDirectory : kDevice, offset + 1))
                return offset;
        while (offset - 3 < PseudoTerminal::kMost) {
            const auto from = static_cast<uint32_t>(offset) - 3;
            PseudoTerminal* terminal = next_pseudo_terminal(from);
            if (!terminal) break;
            char text[12];
            const uint32_t number = terminal->number();
            if (!sink.add(format_in(text, "{}", number), InodeNo(number + kFirstNumber), kDevice,
                          number + 4))
                break;
            offset = number + 4;
        }
        return offset;
    }

  private:
    const Timestamp made_ = timestamp_now();
};

class PtsFileSystem final : public FileSystem {
  public:
    std::string_view type_name() const override { return "devpts"; }
    Ref<Inode> root() override { return root_; }
    FileSystemStatistics statistics() override { return {.type = 0x1cd1}; }
    uint32_t device_number() const override { return device_; }
    Ref<PtsDirectory> root_;

  private:
    const uint32_t device_ = new_anonymous_device();
};
constinit PtsFileSystem* instance = nullptr;

bool parse_mode(std::string_view text, uint32_t& mode) {
    mode = 0;
    for (char digit : text) {
        if (digit < '0' || digit > '7') return false;
        mode = mode * 8 + static_cast<uint32_t>(digit - '0');
    }
    return !text.empty() && mode <= 07777;
}

bool apply(std::string_view word, NameOptions& options) {
    size_t equals = 0;
    while (equals < word.size() && word[equals] != '=') ++equals;
    const std::string_view name = word.substr(0, equals);
    if (equals == word.size()) return name == "newinstance" || name == "defaults" || name == "rw";
    const std::string_view value = word.substr(equals + 1);
    if (name == "mode") return parse_mode(value, options.mode);
    if (name == "ptmxmode") return parse_mode(value, options.ptmx_mode);
    uint64_t number;
    if (!parse_number(value, number) || number > INT32_MAX) return false;
    const auto id = static_cast<uint32_t>(number);
    if (name == "uid") return options.uid = id, options.set_uid = true;
    if (name == "gid") return options.gid = id, options.set_gid = true;
    if (name != "max" || id > PseudoTerminal::kMost) return false;
    pseudo_terminals_most = id;
    return true;
}

Result<Ref<FileSystem>> mount_devpts(std::string_view, uint32_t, std::string_view words) {
    NameOptions options;
    while (!words.empty()) {
        const size_t length = std::min(words.find(','), words.size());
        const std::string_view word = words.substr(0, length);
        words.remove_prefix(std::min(length + 1, words.size()));
        if (!word.empty() && !apply(word, options))
            return refuse_mount(Errno::inval, "devpts: bad option '{}'", word);
    }
    set_name_options(options);
    return Ref<FileSystem>(instance);
}

constinit FileSystemType devpts_type{
    .name = "devpts", .needs_device = false, .mount = mount_devpts, .may_be_root = false};

void devpts_init() {
    instance = new (std::nothrow) PtsFileSystem;
    VERIFY(instance);  // at start-up there is memory
    instance->root_ = make_ref<PtsDirectory>(*instance).release_value();
    register_file_system(devpts_type);
    devfs_add("ptmx", kTypeCharacter | 0666, kPtmxDevice);
    devfs_add("pts", kTypeDirectory | 0755, 0);
}
AT_START_UP(devpts_init);

}  // namespace

Result<Ref<Inode>> node_of_terminal(PseudoTerminal& terminal) {
    return Ref<Inode>(TRY(make_ref<TerminalNode>(*instance, terminal)));
}

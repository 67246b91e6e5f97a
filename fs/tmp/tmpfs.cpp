// See tmpfs.hpp: the mounted instance, its limits, and the options of mount.
// Spec: tmpfs(5) of Linux.
#include "fs/tmp/tmpfs.hpp"

#include "fs/mount.hpp"
#include "fs/tmp/tmp_inode.hpp"
#include "mm/frames.hpp"

namespace {

constexpr uint32_t kMagic = 0x01021994;

// "64m", "50%" (of `whole` bytes), "4096".
bool parse_size(std::string_view text, uint64_t whole, uint64_t& bytes) {
    if (text.empty()) return false;
    uint32_t shift = 0;
    const char suffix = text.back() | 0x20;
    if (suffix == 'k') shift = 10;
    if (suffix == 'm') shift = 20;
    if (suffix == 'g') shift = 30;
    const bool percent = text.back() == '%';
    if (shift || percent) text.remove_suffix(1);
    uint64_t number;
    if (!parse_number(text, number) || number > UINT64_MAX >> 34) return false;
    bytes = percent ? whole / 100 * number : number << shift;
    return true;
}

struct MountOptions {
    TmpLimits limits;
    Ownership root{kTypeDirectory | 01777, 0, 0};
};

bool apply(std::string_view word, uint64_t memory, MountOptions& options) {
    const size_t equals = word.find('=');
    if (equals == word.npos) return true;  // "defaults", "rw" and the like
    const std::string_view name = word.substr(0, equals), value = word.substr(equals + 1);
    uint64_t number;
    if (name == "size" || name == "nr_inodes") {
        if (!parse_size(value, memory, number)) return false;
        const uint64_t count = name == "size" ? (number + kPageMask) >> kPageShift : number;
        // 0 means no limit; what counts pages is a signed number.
        const auto limit = static_cast<uint32_t>(count && count < INT32_MAX ? count : INT32_MAX);
        (name == "size" ? options.limits.pages : options.limits.files) = limit;
        return true;
    }
    if (name == "mode") {
        uint32_t mode = 0;
        for (char digit : value) {
            if (digit < '0' || digit > '7') return false;
            mode = mode * 8 + static_cast<uint32_t>(digit - '0');
        }
        options.root.mode = kTypeDirectory | (mode & 07777);
        return true;
    }
    if (name != "uid" && name != "gid") return false;
    if (!parse_number(value, number)) return false;
    (name == "uid" ? options.root.uid : options.root.gid) = static_cast<uint32_t>(number);
    return true;
}

Result<Ref<FileSystem>> mount_tmpfs(std::string_view, uint32_t, std::string_view words) {
    const MemoryTotals memory = memory_totals();
    MountOptions options{{memory.total / 2, memory.low_total / 2}};
    while (!words.empty()) {
        const std::string_view word = next_mount_option(words);
        if (!apply(word, uint64_t{memory.total} * kPageSize, options))
            return refuse_mount(Errno::inval, "tmpfs: bad option '{}'", word);
    }
    return TmpFileSystem::create(options.limits, options.root);
}

constinit FileSystemType tmpfs_type{"tmpfs", false, mount_tmpfs};

}  // namespace

void tmpfs_init() { register_file_system(tmpfs_type); }

Result<Ref<FileSystem>> TmpFileSystem::create(TmpLimits limits, const Ownership& root) {
    Ref<TmpFileSystem> fs = TRY(make_ref<TmpFileSystem>(new_anonymous_device(), limits));
    TRY(fs->add_file());
    auto* directory = new (std::nothrow) TmpDirectory(*fs, root, 0);
    if (!directory) return Errno::nomem;
    fs->root_ = Ref<TmpDirectory>::adopt(directory);
    return Ref<FileSystem>(fs);
}

Ref<Inode> TmpFileSystem::root() { return root_; }

void TmpFileSystem::unmounted() {
    Ref<TmpDirectory> root = std::move(root_);
    if (root) root->take_apart();
}

Result<void> TmpFileSystem::add_file() {
    if (files_.add(1) <= limits_.files) return {};
    remove_file();
    return Errno::nospc;
}

uint32_t TmpFileSystem::free_pages() const {
    const int32_t used = pages_.relaxed();
    if (used <= 0) return limits_.pages;
    return limits_.pages - std::min(limits_.pages, static_cast<uint32_t>(used));
}

FileSystemStatistics TmpFileSystem::statistics() {
    FileSystemStatistics s;
    s.type = kMagic;
    s.blocks = limits_.pages;
    s.free_blocks = s.available_blocks = free_pages();
    s.files = limits_.files;
    s.free_files = limits_.files - std::min(limits_.files, files_.relaxed());
    return s;
}

// A read-only format's image, patched as the input says, mounted, and all of it read.
#pragma once

#include "tests/fuzz/fuzz.hpp"
#include "tests/host/support/vandal.hpp"

struct ImagePatch {
    uint8_t
        place;  // bit 7: the value is set, else the old one is changed by it; the rest: the target's
    uint8_t bytes;  // of the value, 1 to 4
    uint16_t offset;
    uint32_t value;
};

inline Input patches(std::initializer_list<ImagePatch> all) {
    Input input;
    for (const ImagePatch& patch : all) {
        const auto* bytes = reinterpret_cast<const uint8_t*>(&patch);
        input.insert(input.end(), bytes, bytes + sizeof patch);
    }
    return input;
}

// A folder with names short and long, files of many sizes, and folders several deep.
inline void fill_folder(const std::filesystem::path& path) {
    std::filesystem::create_directories(path / "a/b/c/Some longer name, and dots... of a folder");
    for (int i = 0; i < 12; ++i)
        std::ofstream(path / ("a/b/file" + std::to_string(i)))
            << std::string(static_cast<size_t>(i) * 700, static_cast<char>('a' + i));
    for (int i = 0; i < 40; ++i)
        std::ofstream(path / ("a/" + std::to_string(i) + std::string(60, 'n'))) << i;
    std::ofstream(path / "a/b/c/\u00e4\u6f22\U0001f30d") << "text";
}

// Mounts the disk as `type` below a tree of ours, and reads all that is found; then undoes the patches.
inline void mount_patched(ImageDisk& disk, const char* type, InputReader& input,
                          size_t (*place)(const ImageDisk& disk, uint8_t which)) {
    static const View base = View::of_tmpfs();
    const std::string node = "/" + std::string(disk.name());
    if (base.error_of(node) != Errno{}) {
        static_cast<void>(vfs_mkdir(base, base.cwd, "/m", 0755));
        FUZZ_CHECK(
            vfs_mknod(base, base.cwd, node, kTypeBlock | 0600, disk.device_number()).is_ok());
    }
    std::vector<std::pair<size_t, uint8_t>> before;
    for (int most = 64; most > 0 && !input.empty(); --most) {
        const auto patch = input.next<ImagePatch>();
        const size_t from = place(disk, patch.place & 0x7f) + patch.offset;
        for (size_t i = 0; i < size_t{patch.bytes} % 4 + 1 && from + i < disk.bytes.size(); ++i) {
            uint8_t& byte = disk.bytes[from + i];
            before.emplace_back(from + i, byte);
            byte = static_cast<uint8_t>((patch.place & 0x80 ? 0 : byte) ^ patch.value >> 8 * i);
        }
    }
    const Result<void> mounted = vfs_mount(base, node, "/m", type, kMountReadOnly, "");
    FUZZ_CHECK(mounted.is_ok() || !before.empty());
    if (mounted.is_ok()) {
        std::mt19937 random(1);
        {
            Vandal vandal(base, random);
            vandal.walk("/m", 6);
            FUZZ_CHECK(vandal.found() > 50 || !before.empty());
        }
        static_cast<void>(forget_all());
        FUZZ_CHECK(vfs_unmount(base, "/m", 0).is_ok());
    }
    static_cast<void>(forget_all());
    for (size_t i = before.size(); i > 0; --i)
        disk.bytes[before[i - 1].first] = before[i - 1].second;
    log_lines.clear();
}

inline Bytes made_by(const std::string& command) {
    HostFolder folder;
    std::filesystem::create_directory(folder.path / "tree");
    fill_folder(folder.path / "tree");
    if (std::system(
            ("cd " + folder.path.string() + " && { " + command + "; } >log 2>&1").c_str())) {
        std::fprintf(stderr, "%s failed\n", command.c_str());
        std::abort();
    }
    return read_host_file(folder.path / "image");
}

// ext2 mounted for writing on the host, and what e2fsck says of the image afterwards.
#pragma once

#include <cstdlib>
#include <fstream>

#include "fs/mount.hpp"
#include "tests/host/support/file_room.hpp"

struct Checked {
    int status;
    std::string text;
};

// e2fsck with these options over the image; its exit status and what it said.
inline Checked e2fsck(std::vector<uint8_t>& image, const std::string& options) {
    HostFolder folder;
    const std::string file = folder.path / "image", log = folder.path / "log";
    {
        std::ofstream out(file, std::ios::binary);
        out.write(reinterpret_cast<const char*>(image.data()),
                  static_cast<std::streamsize>(image.size()));
    }
    const int raw = std::system(
        ("PATH=$PATH:/usr/sbin:/sbin; e2fsck " + options + " " + file + " >" + log + " 2>&1")
            .c_str());
    image = read_host_file(file);
    std::vector<uint8_t> text = read_host_file(log);
    return {WEXITSTATUS(raw), std::string(text.begin(), text.end())};
}

inline View mount_writable(const ImageDisk& disk) {
    View view;
    Result<Path> root = mount_root(disk.name(), false);
    if (root.is_error()) {
        ADD_FAILURE() << mount_refusals();
        return view;
    }
    view.root = view.cwd = root.value();
    view.umask = 022;
    return view;
}

// As an orderly power-off; the disk may be looked at from outside then.
inline void stop(const View& view) {
    EXPECT_TRUE(view.root.mount().file_system->set_read_only(true).is_ok());
}

inline Errno sync(const View& view) { return error(view.root.mount().file_system->sync()); }

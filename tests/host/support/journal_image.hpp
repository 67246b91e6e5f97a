// An ext3 image of mke2fs's, and logs written into its journal with the kernel's own encoder.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "fs/ext2/layout.hpp"
#include "fs/journal/encode.hpp"
#include "fs/journal/superblock.hpp"

struct LogBlock {
    uint32_t target;
    std::vector<uint8_t> contents;
};

class JournalImage {
  public:
    using Bytes = std::vector<uint8_t>;

    // A superblock of version 2; `checksums` may be none of mke2fs's choosing.
    JournalImage(uint32_t block_size, journal::Checksums checksums, uint64_t kib = 16384,
                 const std::string& options = "-t ext3 -O ^resize_inode,^ext_attr,^dir_index")
        : block_size_(block_size) {
        bytes.resize(kib << 10);
        run("mke2fs -q -F -b " + std::to_string(block_size) + " " + options);
        find_journal();
        journal::Superblock& super = superblock();
        if (checksums == journal::Checksums::v1)
            super.features_compatible = journal::kCompatChecksum;
        if (checksums == journal::Checksums::v2)
            super.features_incompatible = journal::kIncompatChecksum2;
        if (checksums == journal::Checksums::v3)
            super.features_incompatible = journal::kIncompatChecksum3;
        if (checksums >= journal::Checksums::v2) super.checksum_type = journal::kChecksumCrc32c;
        journal::allow_revokes(super);
        journal::set_log(super, super.sequence, super.start);
        char text[160];
        BufferSink reason(text);
        Result<journal::Shape> shape =
            check_superblock(super, block_size, static_cast<uint32_t>(map_.size()), reason);
        if (shape.is_error()) throw std::runtime_error(std::string(reason.view()));
        shape_ = shape.value();
    }

    // The log begins so many blocks before the journal's end (0: at its start), with this sequence.
    void begin(uint32_t before_end, uint32_t sequence) {
        at_ = start_ = before_end ? shape_.ring.end - before_end : shape_.ring.first;
        sequence_ = first_sequence_ = sequence;
    }
    void transaction(const std::vector<LogBlock>& blocks, const std::vector<uint32_t>& revokes,
                     bool commit = true) {
        using namespace journal;
        Bytes head(block_size_);
        uint32_t sum = kChecksum1Start;
        if (!revokes.empty()) {
            RevokeWriter out(shape_.format, head, sequence_);
            for (uint32_t block : revokes) out.add(block);
            out.finish();
            append(head);
        }
        for (size_t i = 0; i < blocks.size();) {
            DescriptorWriter out(shape_.format, head, sequence_);
            std::vector<Bytes> copies;
            for (; i < blocks.size() && !out.full(); ++i) {
                copies.push_back(blocks[i].contents);
                const bool escaped = escape(copies.back());
                out.add(blocks[i].target, escaped, copies.back());
            }
            out.finish();
            append(head);
            sum = add_to_checksum1(sum, head);
            for (const Bytes& copy : copies) {
                append(copy);
                sum = add_to_checksum1(sum, copy);
            }
        }
        if (commit) {
            write_commit(shape_.format, head, sequence_, 1'700'000'000, 5, sum);
            append(head);
        }
        ++sequence_;
    }
    // The superblocks: there is a log.
    void finish() {
        journal::set_log(superblock(), first_sequence_, start_);
        file_system().features_incompatible |= ext2::kIncompatRecover;
    }

    struct Outcome {
        int status;
        std::string text;
    };
    Outcome e2fsck(const std::string& options) { return run("e2fsck " + options); }
    Outcome debugfs(const std::string& request, bool write = false) {
        return run(std::string("debugfs ") + (write ? "-w" : "") + " -R '" + request + "'");
    }

    void debugfs_script(const std::string& lines) {
        run("printf '" + lines + "' | debugfs -w -f /dev/stdin");
    }

    uint8_t* at(uint32_t block) { return &bytes.at(uint64_t{block} * block_size_); }
    Bytes block(uint32_t block) { return Bytes(at(block), at(block) + block_size_); }
    uint8_t* log_block(uint32_t index) { return at(map_.at(index)); }
    uint32_t log_position() const { return at_; }
    journal::Superblock& superblock() {
        return *reinterpret_cast<journal::Superblock*>(at(map_[0]));
    }
    ext2::Superblock& file_system() {
        return *reinterpret_cast<ext2::Superblock*>(&bytes[ext2::kSuperblockOffset]);
    }
    ext2::InodeRecord& journal_inode() {
        const uint32_t groups = block_size_ == 1024 ? 2 : 1;
        const auto* group = reinterpret_cast<const ext2::GroupDescriptor*>(at(groups));
        return *reinterpret_cast<ext2::InodeRecord*>(at(group->inode_table) +
                                                     7 * file_system().inode_size);
    }
    const journal::Shape& shape() const { return shape_; }
    const std::vector<uint32_t>& map() const { return map_; }

    // The last blocks of the file system, which nothing uses.
    std::vector<uint32_t> free_blocks(uint32_t count) {
        std::vector<uint32_t> list;
        for (uint32_t i = 0; i < count; ++i)
            list.push_back(file_system().blocks_count - count - 10 + i);
        return list;
    }

    Bytes bytes;

  private:
    // The tool over a file with our bytes, which are read back then.
    Outcome run(const std::string& command) {
        const std::string file =
            std::filesystem::temp_directory_path() / ("journal" + std::to_string(getpid()));
        std::ofstream(file, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
        const int raw = std::system(
            ("PATH=$PATH:/usr/sbin:/sbin; " + command + " " + file + " >" + file + ".log 2>&1")
                .c_str());
        auto read = [](const std::string& name) {
            Bytes all(std::filesystem::file_size(name));
            std::ifstream(name, std::ios::binary)
                .read(reinterpret_cast<char*>(all.data()),
                      static_cast<std::streamsize>(all.size()));
            std::filesystem::remove(name);
            return all;
        };
        bytes = read(file);
        const Bytes text = read(file + ".log");
        return {WEXITSTATUS(raw), std::string(text.begin(), text.end())};
    }
    void find_journal() {
        const ext2::InodeRecord inode = journal_inode();
        const uint32_t count = inode.size_low / block_size_;
        auto add = [&](auto& self, uint32_t block, int level) -> void {
            if (map_.size() == count) return;
            if (level == 0) return map_.push_back(block);
            const Bytes table = this->block(block);
            for (uint32_t i = 0; i < block_size_ / 4; ++i) {
                uint32_t next;
                std::memcpy(&next, &table[i * 4], 4);
                self(self, next, level - 1);
            }
        };
        for (uint32_t i = 0; i < 15; ++i) add(add, inode.block[i], i < 12 ? 0 : int(i) - 11);
    }
    void append(const Bytes& contents) {
        std::memcpy(log_block(at_), contents.data(), block_size_);
        at_ = shape_.ring.ahead(at_, 1);
    }

    uint32_t block_size_;
    std::vector<uint32_t> map_;
    journal::Shape shape_{};
    uint32_t at_ = 0, start_ = 0, sequence_ = 0, first_sequence_ = 0;
};

// ext2, mounted: the instance (Ext2) and its inodes (Ext2Inode). For now it only reads.
// Metadata (descriptors, inode tables, index blocks) is read through the disk's own page cache,
// contents of files and directories through each inode's.
// Invariant: no number from the disk is used before it was checked; what makes no sense is EIO and
// a line in the log that names the inode, once an inode.
// Locks: none of its own yet; what is mounted doesn't change.
#pragma once

#include "drivers/block.hpp"
#include "fs/ext2/geometry.hpp"
#include "fs/inode_cache.hpp"
#include "fs/page_cache.hpp"

void ext2_init();  // registers the type

namespace ext2 {

class Ext2Inode;

class Ext2 final : public FileSystem {
  public:
    static Result<Ref<FileSystem>> mount(std::string_view source, uint32_t flags,
                                         std::string_view options);
    Ext2(BlockDevice& device, PageCache& metadata, const Geometry& geometry,
         const Superblock& super);

    std::string_view type_name() const override { return "ext2"; }
    Ref<Inode> root() override { return root_; }
    FileSystemStatistics statistics() override;
    bool read_only() const override { return true; }
    uint32_t device_number() const override { return device_.device_number(); }
    void unmounted() override;

    Result<Ref<Inode>> inode(InodeNo number);
    const Geometry& geometry() const { return geometry_; }
    BlockDevice& device() const { return device_; }
    std::string_view device_name() const { return device_.name(); }

    // A whole block of metadata, in memory while the page is held.
    struct MetadataBlock {
        HeldPage page;
        uint32_t offset;  // of the block in its page
        const uint8_t* bytes() const { return page.data() + offset; }
    };
    Result<MetadataBlock> metadata(uint32_t block);
    Result<void> read_blocks(uint32_t first, uint32_t count, void* to);

  private:
    Result<InodeRecord> inode_record(InodeNo number);

    BlockDevice& device_;
    PageCache& metadata_;
    const Geometry geometry_;
    const uint32_t free_blocks_, free_inodes_;
    Ref<Inode> root_;  // dropped when unmounted: it refers to us
};

class Ext2Inode final : public CachedInode, private PageSource {
  public:
    Ext2Inode(Ext2& file_system, InodeNo number, const InodeRecord& record);
    // EIO if the record makes no sense.
    Result<void> check() const;

    Attributes attributes() override;
    Ownership ownership() override { return {record_.mode, uid(), gid()}; }
    Result<Ref<File>> open(uint32_t flags) override;
    Result<Ref<Inode>> lookup_child(std::string_view name) override;
    Result<uint64_t> list(DirectorySink& sink, uint64_t offset) override;
    Result<uint32_t> read_link(std::span<char> buffer) override;

  private:
    struct Run {
        uint32_t first;  // on the disk; 0: a hole
        uint32_t count;
    };
    Result<void> fill_pages(uint32_t first, uint32_t count, void* to) override;
    // Where `block` of the file lies, and how many after it (at most `most`) lie right behind it.
    Result<Run> map(uint32_t block, uint32_t most);
    // The directory's block that starts at `position`.
    Result<Ext2::MetadataBlock> directory_block(uint64_t position);
    // Calls visit(entry, position) for each entry in use from `offset` on until it says false;
    // returns the position of the entry it stopped at, or the directory's end.
    template <typename F>
    Result<uint64_t> scan(uint64_t offset, F&& visit);
    Errno damaged(std::string_view what);

    Ext2& ext2() const;
    uint32_t uid() const { return record_.uid_low | uint32_t{record_.uid_high} << 16; }
    uint32_t gid() const { return record_.gid_low | uint32_t{record_.gid_high} << 16; }
    uint32_t type() const { return record_.mode & kTypeMask; }
    uint64_t size() const;
    bool is_fast_symlink() const;

    const InodeRecord record_;
    PageCache cache_;
    bool reported_ = false;
};

}  // namespace ext2

// An inode of ext2: attributes, block map, names of a directory.
// Locks: `record_` is read under the file system's `records_` or `lock_`, and written under both but
// for times, mode and owner, which need `records_` only; the block map under `lock_`, but reading it
// takes none: pointers are single words, and blocks that leave it are not used again before the next
// checkpoint. A directory's contents: its `names` and, for changes, `lock_`.
#pragma once

#include "fs/ext2/layout.hpp"
#include "fs/ext2/name_index.hpp"
#include "fs/inode_cache.hpp"
#include "fs/page_cache.hpp"
#include "kernel/lib/ordered_tree.hpp"

class BlockWriter;

namespace ext2 {

class Ext2;

// A whole block of metadata, in memory while the page is held.
struct MetadataBlock {
    HeldPage page;
    uint32_t offset;  // of the block in its page
    uint8_t* bytes() const { return page.data() + offset; }
};
struct Extent {
    uint32_t first, count;
};

class Ext2Inode final : public CachedInode, private PageSource {
  public:
    Ext2Inode(Ext2& file_system, InodeNo number, const InodeRecord& record);
    ~Ext2Inode() override;
    // EIO if the record makes no sense.
    Result<void> check() const;

    Attributes attributes() override;
    Ownership ownership() override;
    Result<Ref<File>> open(uint32_t flags) override;
    Result<Ref<Inode>> lookup_child(std::string_view name) override;
    Result<uint64_t> list(DirectorySink& sink, uint64_t offset) override;
    Result<uint32_t> read_link(std::span<char> buffer) override;
    Result<Ref<Inode>> create_child(std::string_view name, uint32_t mode, const Credentials& owner,
                                    uint32_t special_device) override;
    Result<Ref<Inode>> create_symlink(std::string_view name, std::string_view target,
                                      const Credentials& owner) override;
    Result<Ref<Inode>> create_nameless(uint32_t mode, const Credentials& owner) override;
    Result<void> link_child(std::string_view name, Inode& inode) override;
    Result<void> remove_child(std::string_view name, Inode& inode, bool directory) override;
    Result<void> rename_child(std::string_view name, Inode& inode, Inode& new_parent,
                              std::string_view new_name, Inode* replaced) override;
    Result<void> exchange_children(std::string_view name, Inode& inode, Inode& other_parent,
                                   std::string_view other_name, Inode& other) override;
    Result<void> set_attributes(const SetAttributes& changes) override;
    Result<uint32_t> flags() override;
    Result<void> set_flags(uint32_t flags) override;
    Result<void> truncate(uint64_t size) override;
    Result<void> sync(bool contents) override;
    Result<Box<BlockDevice>> as_device() override;
    bool evictable() const override;

    // --- contents
    PageCache& cache() { return cache_; }
    void add_writer() { writers_.add(1); }
    void remove_writer();
    Result<uint32_t> write(ByteSource& from, uint64_t& offset, bool append, bool direct);
    void note_access(bool relative) override;
    // Where `block` of the file lies, and how many after it (at most `most`) lie right behind it.
    struct Run {
        uint32_t first;  // on the disk; 0: a hole
        uint32_t count;
    };
    Result<Run> map(uint32_t block, uint32_t most);

    Ext2& ext2() const;

    // --- for the file system, under its lock
    const InodeRecord& record() const { return record_; }
    InodeRecord& record() { return record_; }
    void free_contents();  // all blocks, that of attributes too; nobody else refers to it
    Result<void> write_directory_block(uint32_t block);
    Result<void> log_directory_block(uint32_t block);
    uint32_t type() const { return record_.mode & kTypeMask; }
    bool is_directory() const { return type() == kTypeDirectory; }

    ListNode dirty_node, dead_node, nameless_node;
    ListNode ordered_node;  // with a journal: it got blocks in this transaction, for pages from
    uint32_t ordered_first = 0, ordered_last = 0;  // here to there; under the file system's records
    uint32_t ordered_pass = 0;  // the last one of those that look at all such files
    TreeNode reserve_node;
    Extent reserved{0, 0};  // behind its last block, nobody else's: see reservations.cpp
    uint32_t first_reserved() const { return reserved.first; }
    bool is_listed = false;        // on the disk's list of orphans: see orphans.cpp
    bool is_released = false;      // its number is another's, perhaps
    uint32_t structure_epoch = 0;  // checkpoint interval in which it got blocks, names, size

  private:
    void last_reference_dropped() const override;
    Result<void> fill_pages(uint32_t first, uint32_t count, void* to) override;
    Result<void> write_pages(uint32_t first, std::span<uint8_t* const> pages) override;
    Result<uint32_t> prepare_write(uint64_t offset, uint32_t bytes) override;
    bool has_room(uint64_t offset, uint32_t bytes) override;
    Result<void> resize(uint64_t bytes) override;
    Result<void> shrink(PageCache& cache, uint64_t bytes) override;
    Result<void> await_room() override;
    Result<void> end_at(uint64_t bytes);
    Result<uint32_t> find_hole(uint32_t block, uint32_t end);
    uint32_t room_for_all(uint64_t offset, uint32_t bytes);
    Result<uint32_t> write_logged(ByteSource& from, uint64_t& offset, bool append);
    Result<void> write_page_blocks(BlockWriter& to, uint32_t block, uint32_t count,
                                   uint8_t* const* pages);
    Result<Run> fill_hole(uint32_t block, uint32_t at, uint8_t* const* pages);

    // block_map.cpp, block_free.cpp
    Result<Run> allocate(uint32_t block, uint32_t wanted, bool reserve = false);
    Result<Run> allocate_for_write(uint32_t block, uint64_t offset, uint32_t bytes);
    Result<Extent> take_blocks(uint32_t goal, uint32_t wanted, bool reserve);
    uint32_t goal_for(uint32_t block, const uint32_t* pointers, uint32_t index) const;
    Result<uint32_t> allocate_index(uint32_t goal);
    void cut_off(uint32_t first_block);
    void cut_index(uint32_t index_block, uint32_t levels, uint32_t keep, uint32_t& budget);
    void free_pointers(uint32_t* pointers, uint32_t count, uint32_t& budget);
    void release(uint32_t first, uint32_t count);
    void count_blocks(int32_t change);

    // directory.cpp
    Result<MetadataBlock> directory_block(uint64_t position);
    template <typename F>
    Result<uint64_t> scan(uint64_t offset, F&& visit);
    struct Found {
        uint32_t position = 0, inode = 0;
    };
    Result<Found> find_entry(std::string_view name);
    Result<Found> find_by_scan(std::string_view name);
    Result<uint32_t> inode_at(uint32_t position, std::string_view name);
    NameIndex* index();
    Result<void> fill_index(NameIndex& index);
    void forget_index() { index_ = nullptr; }
    // directory_change.cpp
    Result<uint32_t> grow_directory();
    Result<uint32_t> make_room(std::string_view name);
    Result<void> add_entry(std::string_view name, InodeNo target, uint32_t type);
    bool has_room(uint32_t block, uint32_t needed);
    bool put_in_block(uint32_t block, std::string_view name, InodeNo target, uint32_t type);
    void note_entry(std::string_view name, uint32_t position, uint32_t block, uint32_t room);
    Result<void> remove_entry(std::string_view name, uint32_t inode);
    Result<void> set_entry(std::string_view name, InodeNo target, uint32_t type);
    Result<void> set_entry_at(uint32_t position, InodeNo target, uint32_t type);
    void changed_block(uint32_t block);
    Result<bool> is_empty();
    Result<void> start_directory(const Ext2Inode& parent);
    Result<void> set_parent(const Ext2Inode& parent);
    // names.cpp
    Result<Ref<Inode>> add_child(std::string_view name, uint32_t mode, const Credentials& owner,
                                 std::string_view target, uint32_t special_device);
    Result<void> fill_child(Ext2Inode& child, std::string_view target, uint32_t special_device);
    Result<void> name_nameless(std::string_view name, Ext2Inode& file);
    Result<void> add_name(std::string_view name, Ext2Inode& child);
    void lose_name();
    Result<void> drop_link(Ext2Inode& victim, bool directory);
    Result<void> move_in_place(std::string_view name, Ext2Inode& inode, std::string_view new_name,
                               Ext2Inode* replaced, bool& done);
    Result<void> exchange_in_place(std::string_view name, Ext2Inode& inode,
                                   std::string_view new_name, Ext2Inode& replaced);
    std::string_view add_spare_name(Ext2Inode& child, std::span<char> buffer);
    Result<void> move_over(std::string_view name, Ext2Inode& inode, Ext2Inode& target,
                           std::string_view new_name, Ext2Inode& replaced);
    Result<void> move_file(std::string_view name, Ext2Inode& inode, Ext2Inode& target,
                           std::string_view new_name, Ext2Inode* replaced);
    Result<void> move_directory(std::string_view name, Ext2Inode& inode, Ext2Inode& target,
                                std::string_view new_name, Ext2Inode* replaced);
    Result<void> move_at_once(std::string_view name, Ext2Inode& inode, Ext2Inode& target,
                              std::string_view new_name, Ext2Inode* replaced);
    void add_links(int32_t change);
    void note_change(bool contents);
    Result<void> check_link_room() const;

    Errno damaged(std::string_view what);
    uint32_t uid() const { return record_.uid_low | uint32_t{record_.uid_high} << 16; }
    uint32_t gid() const { return record_.gid_low | uint32_t{record_.gid_high} << 16; }
    uint64_t size() const;
    void set_size(uint64_t size);
    uint64_t max_size() const;
    bool is_fast_symlink() const;

    InodeRecord record_;
    PageCache cache_;
    Atomic<uint32_t> writers_ = 0;  // open files that may write
    bool reported_ = false;
    uint32_t links_epoch_ = 0;   // checkpoint interval in which it got another name
    Box<NameIndex> index_;       // of a directory that is large or searched often; under `names`
    uint8_t searches_ = 0;       // before there was one
    bool index_failed_ = false;  // there is no memory for it, or the directory is damaged
    uint32_t last_block_ = 0;    // where the last allocated block went, and
    uint32_t last_index_ = 0;    // which of the file's it is
};

}  // namespace ext2

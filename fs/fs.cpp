// See fs.hpp.
#include "fs/fs.hpp"

#include "fs/dentry.hpp"
#include "fs/ext2/ext2.hpp"
#include "fs/fat/fat.hpp"
#include "fs/inode_cache.hpp"
#include "fs/iso9660/iso9660.hpp"
#include "fs/page_hash.hpp"
#include "mm/reclaim.hpp"

namespace {

// Pages first; then names and inodes that nobody uses, which makes more pages unused.
uint32_t reclaim(uint32_t wanted) {
    uint32_t freed = reclaim_pages(wanted);
    if (freed >= wanted) return freed;
    constexpr uint32_t kNamesPerPage = 16;
    uint32_t before = memory_totals().free;
    shrink_dentries((wanted - freed) * kNamesPerPage);
    shrink_inodes((wanted - freed) * kNamesPerPage);
    uint32_t after = memory_totals().free;
    freed += after > before ? after - before : 0;
    return freed < wanted ? freed + reclaim_pages(wanted - freed) : freed;
}

constinit Reclaimer reclaimer{reclaim};

}  // namespace

void fs_init() {
    page_cache_init();
    dentry_cache_init();
    inode_cache_init();
    add_reclaimer(reclaimer);
    install_file_reclaimer({reclaim_mapped_pages, cached_pages, choose_page_replacement,
                            tune_page_replacement, tick_page_replacement, trace_page_cache});
    ext2_init();
    iso9660_init();
    fat_init();
}

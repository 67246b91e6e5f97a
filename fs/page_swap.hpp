// The pages of a cache without a source (tmpfs) as something that goes to swap: see
// mm/shared_pages.hpp and page_cache.hpp. The page keeps its place in the table, with a slot instead
// of a frame.
// Locks: the table's.
#pragma once

#include "fs/page_cache.hpp"
#include "mm/shared_pages.hpp"

class SwappedCache final : private SharedPages {
  public:
    explicit SwappedCache(PageCache& cache);
    ~SwappedCache();  // drops all pages

  private:
    RefCounted& owner() override;
    const Pager& pager() const override;
    bool give_up(uint32_t index, Frame frame, SwapEntry entry) override;
    Result<void> bring_in(uint32_t area) override;
    void track_all() override;

    PageCache& cache_;
};

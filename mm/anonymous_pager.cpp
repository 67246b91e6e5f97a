// See anonymous_pager.hpp.
#include "mm/anonymous_pager.hpp"

#include <algorithm>
#include <utility>

#include "mm/commitment.hpp"
#include "mm/frames.hpp"

namespace {
constinit Atomic<uint32_t> all = 0;
}

uint32_t AnonymousPager::all_resident() { return all.relaxed(); }

void AnonymousPager::count(int32_t change) {
    resident_.fetch_add(static_cast<uint32_t>(change));
    all.fetch_add(static_cast<uint32_t>(change));
}

Result<Ref<AnonymousPager>> AnonymousPager::create(uint32_t pages) {
    Ref<AnonymousPager> pager = TRY(make_ref<AnonymousPager>(pages));
    TRY(pager->chunks_.resize((pages + kChunkPages - 1) / kChunkPages));
    change_commitment(static_cast<int32_t>(pages));
    pager->charged_ = true;
    add_shared_pages(*pager);
    return pager;
}

AnonymousPager::~AnonymousPager() {
    if (charged_) {
        remove_shared_pages(*this);
        change_commitment(-static_cast<int32_t>(pages_));
    }
    for (Chunk* chunk : chunks_) {
        if (!chunk) continue;
        for (PageEntry page : chunk->pages) drop(page);
        delete chunk;
    }
}

void AnonymousPager::drop(PageEntry page) {
    if (page.swapped()) swap_drop_name({page.raw});
    if (!page.holds_frame()) return;
    count(-1);
    forget_shared(page.frame());
    put_frame(page.frame());
}

PageEntry* AnonymousPager::find(uint32_t index) {
    Chunk* chunk = index < pages_ ? chunks_[index / kChunkPages] : nullptr;
    return chunk ? &chunk->pages[index % kChunkPages] : nullptr;
}

// Takes over the reference.
void AnonymousPager::install(PageEntry& page, uint32_t index, Frame frame) {
    const PageEntry former = page;
    page = PageEntry::make(frame, kEntryPresent);
    count(1);
    track_shared(frame, *this, index);
    if (former.swapped()) swap_drop_name({former.raw});
}

// Whether there is a frame, one that only the swap cache had included.
bool AnonymousPager::is_here(PageEntry& page, uint32_t index) {
    Frame frame;
    if (page.swapped() && swap_find({page.raw}, frame)) install(page, index, frame);
    return page.holds_frame();
}

Result<Frame> AnonymousPager::frame_for(uint32_t index, AccessPattern) {
    if (index >= pages_) return Errno::fault;
    for (;;) {
        SwapEntry entry;
        {
            LockGuard guard(lock_);
            Chunk*& chunk = chunks_[index / kChunkPages];
            if (!chunk) chunk = new (std::nothrow) Chunk{};
            if (!chunk) return Errno::nomem;
            PageEntry& page = chunk->pages[index % kChunkPages];
            if (!page.raw) install(page, index, TRY(allocate_zeroed_frame(Zone::any)));
            if (is_here(page, index)) {
                get_frame(page.frame());
                return page.frame();
            }
            entry = {page.raw};
            swap_add_name(entry);
        }
        const Result<void> read = swap_read(entry);
        swap_drop_name(entry);
        TRY(read);
    }
}

void AnonymousPager::cached_frames(uint32_t first, uint32_t wanted, std::span<Frame> to) {
    LockGuard guard(lock_);
    for (uint32_t i = 0; i < to.size(); ++i) {
        to[i] = Frame(0);
        if (!(wanted >> i & 1)) continue;
        PageEntry* page = find(first + i);
        if (page && is_here(*page, first + i)) get_frame(to[i] = page->frame());
    }
}

void AnonymousPager::mark_dirty(uint32_t index) {
    if (!swap_active) return;
    LockGuard guard(lock_);
    // The caller has the frame, so that it is here, or the swap cache has it.
    PageEntry* page = find(index);
    if (page && is_here(*page, index)) note_shared_write(page->frame());
}

Result<void> AnonymousPager::discard(uint32_t first, uint32_t count) {
    for (uint32_t index = first; index < std::min(first + count, pages_); ++index) {
        LockGuard guard(lock_);
        if (PageEntry* page = find(index)) drop(std::exchange(*page, {}));
    }
    unmap_shared_pages_of(*this, first, count);
    return {};
}

// --- SharedPages

bool AnonymousPager::give_up(uint32_t index, Frame frame, SwapEntry entry) {
    LockGuard guard(lock_);
    PageEntry* page = find(index);
    if (page && page->raw == entry.raw) return true;
    if (!page || !page->holds_frame() || page->frame() != frame || kept_in_memory()) return false;
    count(-1);
    swap_add_name(entry);
    *page = PageEntry{entry.raw};
    put_frame(frame);
    return true;
}

Result<void> AnonymousPager::bring_in(uint32_t area) {
    for (uint32_t index = 0; index < pages_; ++index) {
        {
            LockGuard guard(lock_);
            const PageEntry* page = find(index);
            if (!page || !page->swapped() || SwapEntry{page->raw}.area() != area) continue;
        }
        put_frame(TRY(frame_for(index)));
    }
    return {};
}

void AnonymousPager::track_all() {
    LockGuard guard(lock_);
    for (uint32_t index = 0; index < pages_; ++index)
        if (PageEntry* page = find(index); page && page->holds_frame())
            track_shared(page->frame(), *this, index);
}

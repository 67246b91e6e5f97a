// See anonymous_pager.hpp.
#include "mm/anonymous_pager.hpp"

#include "mm/commitment.hpp"
#include "mm/frames.hpp"

Result<Ref<Pager>> AnonymousPager::create(uint32_t pages) {
    Ref<AnonymousPager> pager = TRY(make_ref<AnonymousPager>(pages));
    TRY(pager->chunks_.resize((pages + kChunkPages - 1) / kChunkPages));
    change_commitment(static_cast<int32_t>(pages));
    pager->charged_ = true;
    return Ref<Pager>(std::move(pager));
}

AnonymousPager::~AnonymousPager() {
    if (charged_) change_commitment(-static_cast<int32_t>(pages_));
    for (Chunk* chunk : chunks_) {
        if (!chunk) continue;
        for (Frame frame : chunk->frames)
            if (frame.raw()) put_frame(frame);
        delete chunk;
    }
}

Result<Frame> AnonymousPager::frame_for(uint32_t index) {
    if (index >= pages_) return Errno::fault;
    LockGuard guard(lock_);
    Chunk*& chunk = chunks_[index / kChunkPages];
    if (!chunk) chunk = new (std::nothrow) Chunk{};
    if (!chunk) return Errno::nomem;
    Frame& frame = chunk->frames[index % kChunkPages];
    if (!frame.raw()) frame = TRY(allocate_zeroed_frame(Zone::any));
    get_frame(frame);
    return frame;
}

void AnonymousPager::cached_frames(uint32_t first, uint32_t wanted, std::span<Frame> to) {
    LockGuard guard(lock_);
    for (uint32_t i = 0; i < to.size(); ++i) {
        to[i] = Frame(0);
        const uint32_t index = first + i;
        if (!(wanted >> i & 1) || index >= pages_ || !chunks_[index / kChunkPages]) continue;
        to[i] = chunks_[index / kChunkPages]->frames[index % kChunkPages];
        if (to[i].raw()) get_frame(to[i]);
    }
}

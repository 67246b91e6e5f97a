// See anonymous_pager.hpp.
#include "mm/anonymous_pager.hpp"

#include "mm/frames.hpp"

Result<Ref<Pager>> AnonymousPager::create(uint32_t pages) {
    Ref<AnonymousPager> pager = TRY(make_ref<AnonymousPager>(pages));
    TRY(pager->chunks_.resize((pages + kChunkPages - 1) / kChunkPages));
    return Ref<Pager>(std::move(pager));
}

AnonymousPager::~AnonymousPager() {
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

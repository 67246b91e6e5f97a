// Pager: how mm gets the pages of a file without knowing files. fs/ implements it (page cache).
#pragma once

#include <span>
#include <string_view>

#include "kernel/lib/ref.hpp"
#include "kernel/lib/types.hpp"

// How the pages will be used: one after the other (much is read ahead), here and there
// (nothing is), or unknown.
enum class AccessPattern : uint8_t { normal, random, sequential };

// The open file behind a shared mapping: msync asks it.
class OpenObject : public RefCounted {
  public:
    // fsync(2), fdatasync (`contents` only), msync: what was written, through mappings too, is where it
    // lasts when this returns. An error that nobody asked for is told to each opener once. No locks held.
    virtual Result<void> sync(bool contents) {
        static_cast<void>(contents);
        return Errno::inval;
    }
};

// In pages: in memory, of these newer than what is behind the object, on their way there; in swap.
struct PagerUse {
    uint32_t cached = 0, dirty = 0, writing = 0, evicted = 0;
};

class Pager : public RefCounted {
  public:
    // The frame that holds page `index` of the object, with one reference added for the caller
    // (mm/frames.hpp: put_frame drops it). May sleep. Errors: EIO; ENOMEM; EFAULT-like: `fault`
    // when the page lies wholly beyond the object's end (the program gets SIGBUS).
    // The frame's contents beyond the end of the object are zero. Private mappings map it read-only
    // and copy on write; shared writable ones write to it directly and call `mark_dirty`.
    virtual Result<Frame> frame_for(uint32_t index, AccessPattern pattern) = 0;
    Result<Frame> frame_for(uint32_t index) { return frame_for(index, AccessPattern::normal); }
    // Of pages `first` on, those with a bit in `wanted`: their frames, with one reference each, if
    // they are in memory and inside the object; else Frame(0). Doesn't sleep.
    // What frame_for() has just given is.
    virtual void cached_frames(uint32_t first, uint32_t wanted, std::span<Frame> to) = 0;
    virtual void mark_dirty(uint32_t index) = 0;
    // Of pages [first, last], as far as the object reaches; a pager that keeps none says 0.
    virtual PagerUse use_of(uint32_t /*first*/, uint32_t /*last*/) { return {}; }
    // Pages [first, first + count) are zeros again, their memory free. EOPNOTSUPP. No locks held.
    virtual Result<void> discard(uint32_t, uint32_t) { return Errno::opnotsupp; }
    // Whose pages they are: another pager's, if this one only gives them another name.
    virtual const Pager& base() const { return *this; }

    // False: nothing but memory and swap holds them.
    virtual bool has_file() const { return false; }
    // For /proc/<pid>/maps: path, inode and device numbers.
    virtual std::string_view name(std::span<char> buffer) const = 0;
    virtual uint32_t inode_number() const = 0;
    virtual uint32_t device_number() const = 0;
};

// The object was cut off: its pages from `first` on leave every address space, copies of private
// mappings too, so that the next access is a SIGBUS. Sleeps; no address space's lock is held.
void unmap_pages_of(const Pager& pager, uint32_t first);
// Shared mappings of these pages look for them anew.
// Sleeps; no address space's lock is held.
void unmap_shared_pages_of(const Pager& pager, uint32_t first, uint32_t count);
// Shared mappings of these pages may not write any more until they say so again (mark_dirty).
// Sleeps; no address space's lock is held.
void protect_pages_of(const Pager& pager, uint32_t first, uint32_t count);

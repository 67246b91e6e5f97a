// What a journal's superblock says, after every number in it that could do harm was checked.
// Pure: bytes in, numbers or a reason out.
#pragma once

#include "fs/journal/layout.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/lib/result.hpp"

namespace journal {

struct Shape {
    Format format;
    Ring ring;
    uint32_t sequence;          // of the next transaction, or of the first in the log
    uint32_t start;             // where the log begins; 0: it is empty
    uint32_t error;             // an errno that was left
    bool asynchronous = false;  // a commit block may reach the disk before what it commits
};

// `blocks` of `block_size` bytes is what the journal's file has. Refuses with EINVAL and one line
// (without name and line end) in `reason`; features that we don't know are named.
Result<Shape> check_superblock(const Superblock& super, uint32_t block_size, uint32_t blocks,
                               TextSink& reason);

// Changes where the log begins (0: it is empty), and computes the checksum anew if there is one.
void set_log(Superblock& super, uint32_t sequence, uint32_t start);

// Allows revoke blocks: before the first one is written. False: a superblock of version 1 cannot.
bool allow_revokes(Superblock& super);

}  // namespace journal

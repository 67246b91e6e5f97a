// See text_file.hpp.
#include "fs/proc/text_file.hpp"

#include <algorithm>
#include <utility>

#include "fs/proc/process_source.hpp"

void TextBuffer::clear() {
    while (first_) ::operator delete(std::exchange(first_, first_->next));
    last_ = nullptr;
    failed_ = false;
}

// Each block is twice as long as the one before, up to what the heap has without a long run of frames.
bool TextBuffer::grow() {
    constexpr uint32_t kFirst = 512, kMost = 16 * 1024, kHead = sizeof(Block);
    const uint32_t bytes = last_ ? std::min(2 * (last_->size + kHead), kMost) : kFirst;
    auto* fresh = static_cast<Block*>(::operator new(bytes, std::nothrow));
    if (!fresh) return false;
    fresh->next = nullptr;
    fresh->size = bytes - kHead;
    fresh->used = 0;
    (last_ ? last_->next : first_) = fresh;
    last_ = fresh;
    return true;
}

void TextBuffer::put(std::string_view text) {
    while (!text.empty() && !failed_) {
        if (!last_ || last_->used == last_->size) failed_ = !grow();
        if (failed_) return;
        const auto piece = std::min(static_cast<uint32_t>(text.size()), last_->size - last_->used);
        __builtin_memcpy(last_->text + last_->used, text.data(), piece);
        last_->used += piece;
        text.remove_prefix(piece);
    }
}

Result<uint32_t> TextBuffer::read(ByteSink& to, uint64_t offset) const {
    uint32_t total = 0;
    for (const Block* block = first_; block && to.remaining(); block = block->next) {
        if (offset >= block->used) {
            offset -= block->used;
            continue;
        }
        const auto at = static_cast<uint32_t>(std::exchange(offset, 0));
        const uint32_t piece = std::min(block->used - at, to.remaining());
        const uint32_t done = to.put(block->text + at, piece);
        total += done;
        if (done < piece) return total ? Result(total) : Errno::fault;
    }
    return total;
}

// Its opener may have handed it to a process with more rights.
Result<void> TextFile::check_user() const {
    const ProcessSource& source = process_source();
    if (entry_.acts_on_user && source.program(source.current()) != target_.program)
        return Errno::perm;
    return {};
}

Result<void> TextFile::render_locked() {
    text_.clear();
    // None of the three: it can only be written.
    if (entry_.generate) TRY(entry_.generate(text_, target_));
    if (entry_.show) entry_.show(text_);
    if (entry_.number) format_to(text_, "{}\n", entry_.number->relaxed());
    if (text_.failed()) return Errno::nomem;
    rendered_ = true;
    return {};
}

// It is being opened, and no other thread has it: no lock, because what it shows takes outer ones.
Result<void> TextFile::render() NO_LOCK_ANALYSIS { return render_locked(); }

Result<uint32_t> TextFile::read_at(ByteSink& to, uint64_t offset) {
    LockGuard guard(lock_);
    if (!rendered_ || (offset == 0 && !entry_.rendered_by_open)) TRY(render_locked());
    return text_.read(to, offset);
}

Result<void> TextFile::store(std::string_view text) {
    if (entry_.store) return entry_.store(text);
    if (entry_.store_for) return entry_.store_for(target_, text);
    entry_.number->store_relaxed(TRY(number_in(text, entry_.least, entry_.most)));
    return {};
}

Result<uint32_t> TextFile::write_at(ByteSource& from, uint64_t) {
    if (!entry_.store && !entry_.store_for && !entry_.number) return Errno::inval;
    TRY(check_user());
    char buffer[128];
    const uint32_t wanted = from.remaining();
    if (wanted > sizeof buffer) return Errno::inval;
    if (from.take(buffer, wanted) < wanted) return Errno::fault;
    std::string_view text(buffer, wanted);
    while (text.ends_with('\n') || text.ends_with(' ')) text.remove_suffix(1);
    while (text.starts_with(' ')) text.remove_prefix(1);
    TRY(store(text));
    return wanted;
}

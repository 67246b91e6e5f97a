// See text_file.hpp.
#include "fs/proc/text_file.hpp"

#include <algorithm>

bool TextBuffer::grow(uint32_t wanted) {
    const uint32_t capacity = std::max(wanted, capacity_ ? 2 * capacity_ : 496);
    char* fresh = new (std::nothrow) char[capacity];
    if (!fresh) return false;
    __builtin_memcpy(fresh, data_, size_);
    delete[] data_;
    data_ = fresh;
    capacity_ = capacity;
    return true;
}

void TextBuffer::put(std::string_view text) {
    const auto bytes = static_cast<uint32_t>(text.size());
    if (failed_ || (size_ + bytes > capacity_ && !grow(size_ + bytes))) {
        failed_ = true;
        return;
    }
    __builtin_memcpy(data_ + size_, text.data(), bytes);
    size_ += bytes;
}

Result<void> TextFile::render_locked() {
    text_.clear();
    if (entry_.generate) TRY(entry_.generate(text_, target_));  // none: it can only be written
    if (text_.failed()) return Errno::nomem;
    rendered_ = true;
    return {};
}

Result<void> TextFile::render() {
    LockGuard guard(lock_);
    return render_locked();
}

Result<uint32_t> TextFile::read_at(ByteSink& to, uint64_t offset) {
    LockGuard guard(lock_);
    if (!rendered_ || (offset == 0 && !entry_.rendered_by_open)) TRY(render_locked());
    std::string_view text = text_.view();
    if (offset >= text.size()) return 0u;
    text.remove_prefix(static_cast<size_t>(offset));
    const uint32_t bytes = std::min(static_cast<uint32_t>(text.size()), to.remaining());
    const uint32_t done = to.put(text.data(), bytes);
    return done || !bytes ? Result(done) : Errno::fault;
}

Result<uint32_t> TextFile::write_at(ByteSource& from, uint64_t) {
    if (!entry_.store && !entry_.store_for) return Errno::inval;
    char buffer[128];
    const uint32_t wanted = from.remaining();
    if (wanted > sizeof buffer) return Errno::inval;
    if (from.take(buffer, wanted) < wanted) return Errno::fault;
    std::string_view text(buffer, wanted);
    while (text.ends_with('\n') || text.ends_with(' ')) text.remove_suffix(1);
    while (text.starts_with(' ')) text.remove_prefix(1);
    TRY(entry_.store ? entry_.store(text) : entry_.store_for(target_, text));
    return wanted;
}

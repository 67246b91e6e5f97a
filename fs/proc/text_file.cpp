// See text_file.hpp.
#include "fs/proc/text_file.hpp"

#include <algorithm>

#include "fs/proc/process_source.hpp"
#include "mm/virtual_area.hpp"

namespace {
// Longer texts are not asked of the heap, which needs a run of frames.
constexpr uint32_t kMostOfHeap = 1 << 20;

char* allocate(uint32_t bytes) {
    if (bytes <= kMostOfHeap) return new (std::nothrow) char[bytes];
    const Result<void*> wide = allocate_wide(bytes);
    return wide.is_ok() ? static_cast<char*>(wide.value()) : nullptr;
}
}  // namespace

void TextBuffer::give_back() {
    if (capacity_ > kMostOfHeap)
        free_wide(data_, capacity_);
    else
        delete[] data_;
}

bool TextBuffer::grow(uint32_t wanted) {
    const uint32_t capacity = std::max(wanted, capacity_ ? 2 * capacity_ : 496);
    char* fresh = allocate(capacity);
    if (!fresh) return false;
    __builtin_memcpy(fresh, data_, size_);
    give_back();
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
    std::string_view text = text_.view();
    if (offset >= text.size()) return 0u;
    text.remove_prefix(static_cast<size_t>(offset));
    const uint32_t bytes = std::min(static_cast<uint32_t>(text.size()), to.remaining());
    const uint32_t done = to.put(text.data(), bytes);
    return done || !bytes ? Result(done) : Errno::fault;
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

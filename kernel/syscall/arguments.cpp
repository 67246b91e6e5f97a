// See arguments.hpp.
#include "kernel/syscall/arguments.hpp"

Result<int> install(Ref<File> file, bool close_on_exec) {
    Process& process = current_process();
    return process.files->install(std::move(file), close_on_exec, process.fd_limit());
}

Result<std::string_view> UserText::copy(UserPtr<const char> from) {
    Result<uint32_t> length = copy_string_from_user(short_, from.address());
    if (length.is_ok()) return std::string_view(short_, length.value());
    if (length.error() != Errno::nametoolong) return length.error();
    long_ = TRY(make_box<PageBuffer>());
    uint32_t size = TRY(copy_string_from_user(long_->span(), from.address()));
    return std::string_view(long_->bytes, size);
}

Result<void> UserName::load(int directory, UserPtr<const char> name, EmptyName empty) {
    text_ = TRY(storage_.copy(name));
    working_directory_ = working_directory(context());
    base_ = &working_directory_;
    if (text_.empty() && empty == EmptyName::refused) return Errno::noent;
    if (directory == kAtWorkingDirectory || (!text_.empty() && text_[0] == '/')) return {};
    directory_ = TRY(file_of(directory));
    base_ = &directory_->path();
    if (text_.empty()) return {};
    if (!*base_ || !inode_of(*base_).attributes().is_directory()) return Errno::notdir;
    return {};
}

Result<Path> UserName::resolve(Follow follow) const {
    if (!text_.empty()) return ::resolve(context(), *base_, text_, follow);
    if (!*base_) return Errno::inval;  // a pipe has no place
    return *base_;
}

Result<void> RangeList::load(UserPtr<const UserRange> from, uint32_t count) {
    constexpr uint32_t kMaxRanges = 1024;
    static_assert(sizeof(UserRange) == 8);
    if (count > kMaxRanges) return Errno::inval;
    TRY(ranges_.resize(count));
    TRY(copy_from_user(ranges_.data(), from.address(), count * sizeof(UserRange)));
    uint64_t lengths = 0;
    for (const UserRange& range : ranges_) lengths += range.bytes;
    if (lengths > INT32_MAX) return Errno::inval;
    uint32_t sum = 0;
    for (UserRange& range : ranges_) {
        TRY(user_range(UserPtr<void>(range.start.raw()), range.bytes));
        sum += range.bytes;
        if (sum > kMaxTransfer) range.bytes -= sum - kMaxTransfer;
        if (sum > kMaxTransfer) sum = kMaxTransfer;
    }
    return {};
}

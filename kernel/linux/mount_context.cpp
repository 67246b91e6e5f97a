// See mount_context.hpp.
#include "kernel/linux/mount_context.hpp"

#include <algorithm>

#include "kernel/lib/format.hpp"

namespace {

// What all file systems know; but for the first two they change nothing here.
constexpr std::string_view kForAll[] = {"ro",   "rw",         "sync",     "async", "dirsync",
                                        "mand", "nolazytime", "lazytime", "nomand"};

}  // namespace

MountContext::~MountContext() {
    if (mount_) drop_detached(std::move(mount_));
}

// The newest messages stay.
Errno MountContext::refuse(std::string_view text, std::string_view about) {
    char buffer[160];
    BufferSink sink(buffer);
    format_to(sink, "e {}{}", text, about);
    Result<String> message = String::from(sink.view());
    if (message.is_error()) return Errno::inval;
    if (message_count_ == kMessages)
        first_message_ = (first_message_ + 1) % kMessages;
    else
        ++message_count_;
    messages_[(first_message_ + message_count_ - 1) % kMessages] = message.release_value();
    return Errno::inval;
}

Result<uint32_t> MountContext::read_at(ByteSink& to, uint64_t) {
    String message;
    {
        LockGuard guard(lock_);
        if (!message_count_) return Errno::nodata;
        message = std::move(messages_[first_message_]);
        first_message_ = (first_message_ + 1) % kMessages;
        --message_count_;
    }
    const auto bytes = static_cast<uint32_t>(message.view().size());
    if (bytes > to.remaining()) return Errno::msgsize;
    return to.put(message.view().data(), bytes) == bytes ? Result(bytes) : Errno::fault;
}

Result<void> MountContext::add_option(std::string_view key, Value kind, std::string_view value) {
    if (kind == Value::other) return refuse("unknown parameter ", key);
    const bool text = kind == Value::text;
    if (options_bytes_ + key.size() + (text ? 1 + value.size() : 0) + 2 > sizeof options_)
        return refuse("too many options");
    if (key.find(',') != key.npos || value.find(',') != value.npos)
        return refuse("a comma in option ", key);
    BufferSink sink(std::span<char>(options_).subspan(options_bytes_));
    format_to(sink, "{}{}{}{}", options_bytes_ ? "," : "", key, text ? "=" : "", value);
    options_bytes_ += static_cast<uint32_t>(sink.view().size());
    return {};
}

Result<void> MountContext::set(std::string_view key, Value kind, std::string_view value) {
    LockGuard guard(lock_);
    if (phase_ != Phase::parameters && phase_ != Phase::changing) return Errno::busy;
    if (std::find(std::begin(kForAll), std::end(kForAll), key) != std::end(kForAll)) {
        if (key == "ro" || key == "rw") {
            read_only_ = key == "ro";
            read_only_said_ = true;
        }
        return {};
    }
    if (key != "source") return add_option(key, kind, value);
    if (kind != Value::text) return refuse("the source is no text");
    if (has_source_) return refuse("more than one source");
    source_ = TRY(String::from(value));
    has_source_ = true;
    return {};
}

Result<void> MountContext::create(const FsContext& who) {
    {
        LockGuard guard(lock_);
        if (phase_ != Phase::parameters) return Errno::busy;
        if (!who.credentials.may(Capability::sys_admin)) return Errno::perm;
        phase_ = Phase::under_way;
    }
    char why[600];
    BufferSink refusal(why);
    auto make = [&]() NO_LOCK_ANALYSIS {  // the phase keeps others away
        return make_detached(who, *type_, source_.view(), read_only_ ? kMountReadOnly : 0,
                             {options_, options_bytes_}, refusal);
    };
    Result<Ref<Mount>> made = make();
    LockGuard guard(lock_);
    phase_ = made.is_ok() ? Phase::made : Phase::failed;
    if (made.is_error()) {
        for (std::string_view lines = refusal.view(); !lines.empty();) {
            const size_t end = std::min(lines.find('\n'), lines.size());
            static_cast<void>(refuse(lines.substr(0, end)));
            lines.remove_prefix(std::min(end + 1, lines.size()));
        }
        return made.error();
    }
    mount_ = made.release_value();
    file_system_ = mount_->file_system;
    return {};
}

Result<void> MountContext::reconfigure(const FsContext& who) {
    Ref<FileSystem> file_system;
    bool read_only, said;
    {
        LockGuard guard(lock_);
        if (phase_ != Phase::changing) return Errno::busy;
        if (!who.credentials.may(Capability::sys_admin)) {
            phase_ = Phase::failed;
            return Errno::perm;
        }
        phase_ = Phase::under_way;
        file_system = file_system_;
        read_only = read_only_;
        said = std::exchange(read_only_said_, false);
        options_bytes_ = 0;  // no file system has options that change, as with mount(2)
    }
    Result<void> done = {};
    if (said) done = set_file_system_read_only(*file_system, read_only);
    LockGuard guard(lock_);
    phase_ = done.is_ok() ? Phase::changing : Phase::failed;
    return done;
}

Result<Ref<Mount>> MountContext::take() {
    LockGuard guard(lock_);
    if (!file_system_) return Errno::inval;
    if (phase_ != Phase::made) return Errno::busy;
    phase_ = Phase::changing;
    has_source_ = read_only_said_ = false;
    options_bytes_ = 0;
    return std::move(mount_);
}

// See argument_block.hpp. Spec: System V ABI i386 supplement, 2.3.1 (initial stack); getauxval(3).
#include "kernel/proc/argument_block.hpp"

#include <algorithm>

#include "kernel/lib/preemption.hpp"
#include "kernel/lib/random.hpp"

namespace {

constexpr uint32_t kMaxString = 128 * 1024;
constexpr uint32_t kAtNull = 0, kAtPlatform = 15, kAtRandom = 25, kAtExecFn = 31;

// Grows downwards through the new stack.
class StackWriter {
  public:
    StackWriter(AddressSpace& space, VirtAddr top) : space_(space), at_(top) {}
    Result<uint32_t> push(const void* from, uint32_t bytes) {
        at_ = at_ - bytes;
        for (uint32_t done = 0; done < bytes; done += kPageSize, preemption_point())
            TRY(space_.write(at_ + done, static_cast<const char*>(from) + done,
                             std::min(kPageSize, bytes - done)));
        return at_.raw();
    }
    Result<uint32_t> push_string(std::string_view text) {
        at_ = at_ - 1;  // its end; a new stack is zero
        return push(text.data(), static_cast<uint32_t>(text.size()));
    }
    // So that what comes next, BYTES long, starts at a multiple of `to`. What is left out is zero.
    void align_start_of(uint32_t bytes, uint32_t to) {
        at_ = VirtAddr(align_down(at_.raw() - bytes, to)) + bytes;
    }
    uint32_t at() const { return at_.raw(); }

  private:
    AddressSpace& space_;
    VirtAddr at_;
};

struct StringPiece {
    char text[2048];
};

// The address of each string of `strings` if the first lies at `start`, and the null at the end.
void add_pointers(uint32_t*& out, const Vector<char>& strings, uint32_t start) {
    const char* const end = strings.end();
    for (const char* at = strings.begin(); at < end; at += __builtin_strlen(at) + 1) {
        *out++ = start + static_cast<uint32_t>(at - strings.begin());
        preemption_point();
    }
    *out++ = 0;
}

}  // namespace

// A string ends at its first NUL, so that there are as many NULs as strings.
Result<void> ArgumentBlock::append(Vector<char>& to, std::string_view text) {
    TRY(to.append(text.substr(0, text.find('\0'))));
    return to.push_back(0);
}

Result<uint32_t> ArgumentBlock::collect(Vector<char>& to, UserPtr<uint32_t> pointers,
                                        uint32_t limit) {
    uint32_t count = 0;
    if (!pointers) return count;
    Box<StringPiece> piece = TRY(make_box<StringPiece>());
    for (;; ++count, preemption_point()) {
        uint32_t string = TRY(read_user(pointers + count));
        if (!string) return count;
        for (uint32_t taken = 0;; taken += sizeof piece->text) {
            const Result<uint32_t> length =
                copy_string_from_user(piece->text, VirtAddr(string + taken));
            if (length.is_ok()) {
                TRY(to.append(std::string_view(piece->text, length.value())));
                TRY(to.push_back(0));
                break;
            }
            if (length.error() != Errno::nametoolong) return length.error();
            if (taken >= kMaxString - sizeof piece->text) return Errno::toobig;
            TRY(to.append(piece->text));
        }
        if (arguments_.size() + environment_.size() + count * 4 > limit) return Errno::toobig;
    }
}

Result<void> ArgumentBlock::add_arguments(UserPtr<uint32_t> pointers, uint32_t limit) {
    argument_count_ += TRY(collect(arguments_, pointers, limit));
    return {};
}
Result<void> ArgumentBlock::add_environment(UserPtr<uint32_t> pointers, uint32_t limit) {
    environment_count_ += TRY(collect(environment_, pointers, limit));
    return {};
}
Result<void> ArgumentBlock::add_argument(std::string_view text) {
    ++argument_count_;
    return append(arguments_, text);
}
Result<void> ArgumentBlock::add_environment_string(std::string_view text) {
    ++environment_count_;
    return append(environment_, text);
}

Result<void> ArgumentBlock::replace_first(std::span<const std::string_view> fresh) {
    Vector<char> combined;
    for (std::string_view text : fresh) TRY(append(combined, text));
    std::string_view rest(arguments_.data(), arguments_.size());
    if (argument_count_) {
        rest.remove_prefix(rest.find('\0') + 1);
        --argument_count_;
    }
    TRY(combined.append(rest));
    arguments_ = std::move(combined);
    argument_count_ += static_cast<uint32_t>(fresh.size());
    return {};
}

Result<StackPlan> ArgumentBlock::write(AddressSpace& space, VirtAddr top, std::string_view program,
                                       std::span<const AuxiliaryEntry> auxiliary) const {
    StackWriter stack(space, top - 4);  // the last word stays zero
    StackPlan plan{};
    uint32_t execfn = TRY(stack.push_string(program));
    plan.environment_end = stack.at();
    plan.environment_start = TRY(stack.push(environment_.data(), environment_.size()));
    plan.arguments_end = stack.at();
    plan.arguments_start = TRY(stack.push(arguments_.data(), arguments_.size()));
    uint32_t platform = TRY(stack.push_string("i686"));
    uint8_t random[16];
    random_bytes(random, sizeof random);
    uint32_t random_at = TRY(stack.push(random, sizeof random));

    uint32_t words = 1 + argument_count_ + 1 + environment_count_ + 1;
    Vector<uint32_t> table;
    auto entries = static_cast<uint32_t>(auxiliary.size()) + 4;
    TRY(table.resize(words + entries * 2));
    uint32_t* out = table.data();
    *out++ = argument_count_;
    add_pointers(out, arguments_, plan.arguments_start);
    add_pointers(out, environment_, plan.environment_start);
    auto add = [&](uint32_t type, uint32_t value) {
        *out++ = type;
        *out++ = value;
    };
    for (const AuxiliaryEntry& entry : auxiliary) add(entry.type, entry.value);
    add(kAtPlatform, platform);
    add(kAtRandom, random_at);
    add(kAtExecFn, execfn);
    add(kAtNull, 0);
    uint32_t bytes = table.size() * 4;
    stack.align_start_of(bytes, 16);  // argc itself must be 16-aligned
    plan.esp = TRY(stack.push(table.data(), bytes));
    plan.auxiliary_start = plan.esp + words * 4;
    return plan;
}

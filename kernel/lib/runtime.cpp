// What the compiler and the library's headers expect of a run time: the functions that stand for
// exceptions (a kernel bug, hence a panic), and the object that `new (std::nothrow)` names.
// Their attribute is spelled as in the library's headers, which clang insists on.
#include <new>

#include "kernel/lib/verify.hpp"

namespace std {

const nothrow_t nothrow{};

// Without a hosted library, GCC 13 and newer define these in a header, by way of terminate().
#if __GNUC__ < 13
__attribute__((noreturn)) void __throw_out_of_range_fmt(const char* format, ...) {
    verify_failed(format, "libstdc++", 0);
}
__attribute__((noreturn)) void __throw_length_error(const char* what) {
    verify_failed(what, "libstdc++", 0);
}
__attribute__((noreturn)) void __throw_logic_error(const char* what) {
    verify_failed(what, "libstdc++", 0);
}
#endif
__attribute__((noreturn)) void terminate() noexcept { verify_failed("terminate", "libstdc++", 0); }

}  // namespace std

// VERIFY(condition): a kernel bug if false. It panics, and says where and what.
// On the host the unit tests link a `verify_failed` of their own.
#pragma once

[[noreturn]] void verify_failed(const char* condition, const char* file, int line);

#define VERIFY(condition)                                \
    (static_cast<bool>(condition) ? static_cast<void>(0) \
                                  : verify_failed(#condition, __FILE__, __LINE__))

// The four functions that the compiler itself calls, and the string functions of <cstring> that
// string_view needs. Not for overlapping or user memory, memmove excepted.
#include <cstddef>
#include <cstdint>

extern "C" {

void* memcpy(void* to, const void* from, size_t bytes) {
    void* result = to;
    size_t words = bytes / 4;
    bytes &= 3;
    asm volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words)::"memory");
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
    return result;
}

void* memmove(void* to, const void* from, size_t bytes) {
    if (reinterpret_cast<uintptr_t>(to) - reinterpret_cast<uintptr_t>(from) >= bytes)
        return memcpy(to, from, bytes);
    auto* last_to = static_cast<uint8_t*>(to) + bytes - 1;
    const auto* last_from = static_cast<const uint8_t*>(from) + bytes - 1;
    asm volatile("std; rep movsb; cld" : "+D"(last_to), "+S"(last_from), "+c"(bytes)::"memory");
    return to;
}

void* memset(void* to, int value, size_t bytes) {
    void* result = to;
    uint32_t pattern = static_cast<uint8_t>(value) * 0x01010101u;
    size_t words = bytes / 4;
    bytes &= 3;
    asm volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
    asm volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(pattern) : "memory");
    return result;
}

int memcmp(const void* left, const void* right, size_t bytes) {
    const auto* a = static_cast<const uint8_t*>(left);
    const auto* b = static_cast<const uint8_t*>(right);
    // Names are compared often, and most of them begin alike.
    for (; bytes >= 4; bytes -= 4, a += 4, b += 4) {
        uint32_t words[2];
        __builtin_memcpy(&words[0], a, 4);
        __builtin_memcpy(&words[1], b, 4);
        if (words[0] != words[1]) break;
    }
    for (; bytes; --bytes, ++a, ++b)
        if (*a != *b) return *a - *b;
    return 0;
}

void* memchr(const void* where, int value, size_t bytes) {
    const auto* at = static_cast<const uint8_t*>(where);
    for (; bytes; --bytes, ++at)
        if (*at == static_cast<uint8_t>(value)) return const_cast<uint8_t*>(at);
    return nullptr;
}

size_t strlen(const char* text) {
    size_t length = 0;
    while (text[length]) ++length;
    return length;
}

}  // extern "C"

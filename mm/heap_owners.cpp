// See heap_owners.hpp.
#include "mm/heap_owners.hpp"

#ifdef ORRERY_DEBUG
#include <new>

#include "kernel/lib/symbols.hpp"

void show_owner(TextSink& to, const HeapOwner& owner) {
    const auto code = static_cast<uint32_t>(owner.code);
    uint32_t offset;
    const char* function = symbol_name(code, &offset);
    const char* file = "?";
    uint32_t line = 0;
    source_line(code, &file, &line);
    format_to(to, "{:>7} live {:>9} bytes {:>9} ever {}{:>7} since the mark  {} at {}:{}\n",
              owner.live, owner.bytes, owner.total, owner.live >= owner.marked ? "+" : "-",
              owner.live >= owner.marked ? owner.live - owner.marked : owner.marked - owner.live,
              function ? function : "?", file, line);
}

[[gnu::noinline]] void lose_objects() {
    struct Lost {
        char bytes[100];
    };
    for (int i = 0; i < 10; ++i) {
        Lost* lost = new (std::nothrow) Lost;
        asm volatile("" ::"r"(lost));
    }
}
#endif

// See disk_trace.hpp.
#include "drivers/disk_trace.hpp"

namespace {
constexpr const char* kKinds[] = {"read", "write", "flush"};
constinit TraceNames kind_names{"transfer", [](uint32_t kind) { return kKinds[kind]; },
                                std::size(kKinds)};
}  // namespace

void disk_trace_init() { add_trace_names(kind_names); }

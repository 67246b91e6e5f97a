// See process_source.hpp.
#include "fs/proc/process_source.hpp"

namespace {
constinit ProcessSource g_source = {};
}

void install_process_source(const ProcessSource& source) { g_source = source; }
const ProcessSource& process_source() { return g_source; }

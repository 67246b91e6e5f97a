// See process_source.hpp.
#include "fs/proc/process_source.hpp"

namespace {
constinit ProcessSource installed_source = {};
}

void install_process_source(const ProcessSource& source) { installed_source = source; }
const ProcessSource& process_source() { return installed_source; }

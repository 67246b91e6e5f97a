// A line of /proc/<pid>/maps, which other files begin their sections with. Spec: proc(5).
#pragma once

#include "fs/proc/process_source.hpp"

void put_region_line(TextSink& to, const RegionInfo& region);
// ESRCH is no error here: a zombie has no regions.
Result<void> visit_regions_of(const ProcTarget& target, RegionVisitor& visitor);

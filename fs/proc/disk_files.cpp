// /proc/diskstats, and the disks' settings in /proc/sys/dev/disk: elevator, way of moving data.
// Spec: Linux, Documentation/admin-guide/iostats.rst. `travel` is the way that the elevator's
// head went, in sectors.
#include "drivers/ide_channel.hpp"
#include "fs/devices.hpp"
#include "fs/proc/proc_entry.hpp"

namespace {

constexpr uint32_t kWritable = kTypeRegular | 0644, kReadOnly = kTypeRegular | 0444;
constexpr uint64_t kMillisecond = 1'000'000;

void show_choice(TextSink& to, std::span<const std::string_view> names, uint32_t current) {
    for (uint32_t i = 0; i < names.size(); ++i)
        format_to(to, i == current ? "{}[{}]" : "{}{}", i ? " " : "", names[i]);
    to.put("\n");
}

}  // namespace

constinit const ProcEntry kDiskSettings[kDiskSettingCount] = {
    {.name = "elevator",
     .mode = kWritable,
     .generate = [](TextSink& to, const ProcTarget&) -> Result<void> {
         show_choice(to, kElevatorNames, static_cast<uint32_t>(current_elevator()));
         return {};
     },
     .store = [](std::string_view name) -> Result<void> {
         return choose_elevator(name) ? Result<void>() : Errno::inval;
     }},
    {.name = "ide",
     .mode = kWritable,
     .generate = [](TextSink& to, const ProcTarget&) -> Result<void> {
         show_choice(to, kIdeModeNames, static_cast<uint32_t>(current_ide_mode()));
         return {};
     },
     .store = [](std::string_view name) -> Result<void> {
         return choose_ide_mode(name) ? Result<void>() : Errno::inval;
     }},
    {.name = "travel",
     .mode = kReadOnly,
     .generate = [](TextSink& to, const ProcTarget&) -> Result<void> {
         for (BlockDevice& disk : block_devices())
             if (!disk.is_partition()) format_to(to, "{} {}\n", disk.name(), disk.counts().travel);
         return {};
     }},
};

Result<void> show_disk_counts(TextSink& to, const ProcTarget&) {
    for (BlockDevice& disk : block_devices()) {
        if (disk.is_partition()) continue;  // counted as its disk's
        const DiskCounts c = disk.counts();
        const uint32_t number = disk.device_number();
        format_to(to, "{:>4} {:>7} {} {} 0 {} {} {} 0 {} {}", device_major(number),
                  device_minor(number), disk.name(), c.reads.requests, c.reads.sectors,
                  c.reads.nanoseconds / kMillisecond, c.writes.requests, c.writes.sectors,
                  c.writes.nanoseconds / kMillisecond);
        format_to(to, " {} {} {}\n", c.in_flight, c.busy_nanoseconds / kMillisecond,
                  (c.reads.nanoseconds + c.writes.nanoseconds) / kMillisecond);
    }
    return {};
}

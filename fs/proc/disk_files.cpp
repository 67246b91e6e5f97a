// /proc/diskstats, and the disks' settings in /proc/sys/dev/disk: the way of moving data; how long a RAM
// disk makes a transfer wait (`ram_delay_us`); and of each
// disk its elevator, the way that the elevator's head went (in sectors), and `hold`, which keeps
// the elevator from being asked until so many requests wait (a second at most).
// Spec: Linux, Documentation/admin-guide/iostats.rst.
#include "drivers/disk_queue.hpp"
#include "drivers/ide_channel.hpp"
#include "drivers/ram_disk.hpp"
#include "fs/devices.hpp"
#include "fs/proc/policy_file.hpp"

namespace {

constexpr uint64_t kMillisecond = 1'000'000;

// Those that have a queue of their own.
BlockDevice* disk_at(int which) {
    for (BlockDevice& device : block_devices())
        if (!device.is_partition() && device.queue() && which-- == 0) return &device;
    return nullptr;
}
DiskQueue& queue_of(const ProcTarget& target) { return *disk_at(target.which)->queue(); }

constexpr ProcEntry kDiskFiles[] = {
    {.name = "elevator",
     .generate = [](TextSink& to, const ProcTarget& target) -> Result<void> {
         PolicyChoice::show_names(to, Elevators::kNames, queue_of(target).elevator());
         return {};
     },
     .store_for = [](const ProcTarget& target, std::string_view name) -> Result<void> {
         const std::optional<uint32_t> which = Elevators::index_of(name);
         if (!which) return Errno::inval;
         queue_of(target).set_elevator(*which);
         return {};
     }},
    {.name = "hold",
     .mode = kTypeRegular | 0200,
     .store_for = [](const ProcTarget& target, std::string_view text) -> Result<void> {
         queue_of(target).hold(TRY(number_in(text, 0, UINT32_MAX)));
         return {};
     }},
    {.name = "travel",
     .generate = [](TextSink& to, const ProcTarget& target) -> Result<void> {
         format_to(to, "{}\n", queue_of(target).counts().travel);
         return {};
     }},
};
constexpr ProcEntry kDisk = {.name = "disk", .mode = kTypeDirectory | 0555, .children = kDiskFiles};

}  // namespace

constexpr ProcEntry kDiskSettings[] = {
    policy_file<kElevatorChoice>("elevator"),
    {.name = "ide",
     .show =
         [](TextSink& to) {
             PolicyChoice::show_names(to, kIdeModeNames, static_cast<uint32_t>(current_ide_mode()));
         },
     .store = [](std::string_view name) -> Result<void> {
         return choose_ide_mode(name) ? Result<void>() : Errno::inval;
     }},
    {.name = "ram_delay_us", .number = &ram_disk_delay, .most = 1'000'000},
    {.name = "travel",
     .show =
         [](TextSink& to) {
             for (BlockDevice& disk : block_devices())
                 if (!disk.is_partition() && disk.queue())
                     format_to(to, "{} {}\n", disk.name(), disk.counts().travel);
         }},
};

constexpr ProcNames kDiskNames = {[](const ProcTarget&, int which, std::span<char>) {
                                      BlockDevice* disk = disk_at(which);
                                      return disk ? disk->name() : std::string_view();
                                  },
                                  kDisk};

void show_disk_counts(TextSink& to) {
    for (BlockDevice& disk : block_devices()) {
        if (!disk.listed()) continue;
        const DiskCounts c = disk.counts();
        const uint32_t number = disk.device_number();
        auto put = [&](const DiskCounts::Direction& d) {
            format_to(to, " {} {} {} {}", d.requests, d.merges, d.sectors,
                      d.nanoseconds / kMillisecond);
        };
        format_to(to, "{:>4} {:>7} {}", device_major(number), device_minor(number), disk.name());
        put(c.reads);
        put(c.writes);
        const uint64_t all = c.reads.nanoseconds + c.writes.nanoseconds + c.flush_nanoseconds;
        format_to(to, " {} {} {} 0 0 0 0 {} {}\n", c.in_flight, c.busy_nanoseconds / kMillisecond,
                  all / kMillisecond, c.flushes, c.flush_nanoseconds / kMillisecond);
    }
}

constexpr ProcEntry kDisks[] = {{.name = "disk", .children = kDiskSettings, .names = &kDiskNames}};
constexpr ProcEntry kDevices[] = {{.name = "dev", .children = kDisks}};
PROC_FILES(proc_sys, kDevices);
constexpr ProcEntry kCounts[] = {{.name = "diskstats", .show = show_disk_counts}};
PROC_FILES(proc_root, kCounts);

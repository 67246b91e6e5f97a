// sysfs: /sys with disks and processors, as far as lsblk, lscpu, losetup and their kin ask. It is made of
// the tables that /proc is made of (fs/proc/proc_entry.hpp); a disk is found by its place in the list
// of all, a partition likewise.
// Locks: none; the list of disks only grows.
// Spec: Linux, Documentation/ABI/stable/sysfs-block, testing/sysfs-devices-system-cpu.
#include "drivers/disk_queue.hpp"
#include "fs/devices.hpp"
#include "fs/mount.hpp"
#include "fs/proc/proc_node.hpp"
#include "kernel/arch/cpu.hpp"
#include "kernel/lib/start_up.hpp"
#include "kernel/linux/sysfs.hpp"

namespace {

using Room = std::span<char>;
constexpr std::string_view kLeftOut = "-";
constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint32_t kRamMajor = 1;

// --- disks

BlockDevice* device_at(int which) {
    for (BlockDevice& device : block_devices())
        if (which-- == 0) return &device;
    return nullptr;
}
BlockDevice& device_of(const ProcTarget& target) {
    return *device_at(target.part >= 0 ? target.part : target.which);
}
bool is_part_of(const BlockDevice& part, const BlockDevice& disk) {
    return part.is_partition() &&
           part.device_number() - disk.device_number() - 1 < disk.most_partitions();
}
BlockDevice* disk_of(const BlockDevice& part) {
    for (BlockDevice& disk : block_devices())
        if (is_part_of(part, disk)) return &disk;
    return nullptr;
}

std::string_view disk_name(const ProcTarget&, int which, Room) {
    const BlockDevice* device = device_at(which);
    if (!device) return {};
    return device->is_partition() || !device->listed() ? kLeftOut : device->name();
}
std::string_view part_name(const ProcTarget& target, int which, Room) {
    const BlockDevice* device = device_at(which);
    if (!device) return {};
    return is_part_of(*device, *device_at(target.which)) ? device->name() : kLeftOut;
}
std::string_view block_name(const ProcTarget&, int which, Room) {
    const BlockDevice* device = device_at(which);
    if (!device) return {};
    return device->listed() ? device->name() : kLeftOut;
}
std::string_view block_number(const ProcTarget&, int which, Room room) {
    const BlockDevice* device = device_at(which);
    if (!device) return {};
    const uint32_t number = device->device_number();
    return device->listed() ? format_in(room, "{}:{}", device_major(number), device_minor(number))
                            : kLeftOut;
}

// Where its directory is, from two levels down.
void link_to_block(TextSink& to, const ProcTarget& target) {
    const BlockDevice& device = device_of(target);
    const BlockDevice* disk = disk_of(device);
    to.put("../../block/");
    if (disk) format_to(to, "{}/", disk->name());
    to.put(device.name());
}

template <auto number>  // uint64_t (BlockDevice&)
Result<void> show_number(TextSink& to, const ProcTarget& target) {
    format_to(to, "{}\n", uint64_t{number(device_of(target))});
    return {};
}

Result<void> show_device_number(TextSink& to, const ProcTarget& target) {
    const uint32_t number = device_of(target).device_number();
    format_to(to, "{}:{}\n", device_major(number), device_minor(number));
    return {};
}

Result<void> show_uevent(TextSink& to, const ProcTarget& target) {
    const BlockDevice& device = device_of(target);
    const uint32_t number = device.device_number();
    format_to(to, "MAJOR={}\nMINOR={}\nDEVNAME={}\nDEVTYPE={}\n", device_major(number),
              device_minor(number), device.name(), device.is_partition() ? "partition" : "disk");
    return {};
}

Result<void> show_counts(TextSink& to, const ProcTarget& target) {
    const DiskCounts c = device_of(target).counts();
    for (const DiskCounts::Direction* d : {&c.reads, &c.writes})
        format_to(to, "{:>8} {:>8} {:>8} {:>8} ", d->requests, d->merges, d->sectors,
                  d->nanoseconds / kMillisecond);
    const uint64_t all = c.reads.nanoseconds + c.writes.nanoseconds + c.flush_nanoseconds;
    format_to(to, "{:>8} {:>8} {:>8}        0        0        0        0 {:>8} {:>8}\n",
              c.in_flight, c.busy_nanoseconds / kMillisecond, all / kMillisecond, c.flushes,
              c.flush_nanoseconds / kMillisecond);
    return {};
}

Result<void> show_scheduler(TextSink& to, const ProcTarget& target) {
    if (DiskQueue* queue = device_of(target).queue())
        PolicyChoice::show_names(to, Elevators::kNames, queue->elevator());
    else
        to.put("[none]\n");
    return {};
}
Result<void> set_scheduler(const ProcTarget& target, std::string_view name) {
    DiskQueue* queue = device_of(target).queue();
    if (!queue) return name == "none" ? Result<void>() : Errno::inval;
    const std::optional<uint32_t> which = Elevators::index_of(name);
    if (!which) return Errno::inval;
    queue->set_elevator(*which);
    return {};
}

uint64_t block_size(BlockDevice& device) { return device.logical_block_size(); }
constexpr ProcEntry kQueueFiles[] = {
    {.name = "hw_sector_size", .generate = show_number<block_size>},
    {.name = "logical_block_size", .generate = show_number<block_size>},
    {.name = "minimum_io_size", .generate = show_number<block_size>},
    {.name = "physical_block_size", .generate = show_number<block_size>},
    {.name = "max_sectors_kb",
     .generate = show_number<[](BlockDevice&) { return kMostSectors * kSectorSize / 1024; }>},
    {.name = "rotational", .generate = show_number<[](BlockDevice& device) {
                               return device_major(device.device_number()) != kRamMajor;
                           }>},
    {.name = "scheduler", .generate = show_scheduler, .store_for = set_scheduler},
};

constexpr ProcEntry kCommonFiles[] = {
    {.name = "dev", .generate = show_device_number},
    {.name = "ro",
     .generate = show_number<[](BlockDevice& device) { return device.refuses_writes(); }>},
    {.name = "size", .generate = show_number<[](BlockDevice& device) { return device.sectors(); }>},
    {.name = "stat", .generate = show_counts},
    {.name = "uevent", .generate = show_uevent},
};
constexpr ProcEntry kPartFiles[] = {
    {.name = "partition", .generate = show_number<[](BlockDevice& part) {
                              const BlockDevice* disk = disk_of(part);
                              return part.device_number() - (disk ? disk->device_number() : 0);
                          }>},
    {.name = "start",
     .generate = show_number<[](BlockDevice& part) { return part.start().raw(); }>},
};
constexpr ProcEntry kDiskFiles[] = {
    {.name = "queue", .children = kQueueFiles},
    {.name = "removable",
     .generate = show_number<[](BlockDevice& disk) { return disk.removable(); }>},
};

constinit ProcDirectory sys_part;
PROC_FILES(sys_part, kCommonFiles);
PROC_FILES(sys_part, kPartFiles);
PROC_FILES(sys_disk, kCommonFiles);
PROC_FILES(sys_disk, kDiskFiles);

constexpr ProcEntry kPart = {.name = "part", .added = &sys_part};
constexpr ProcNames kParts = {part_name, kPart, &ProcTarget::part};
constexpr ProcEntry kDisk = {.name = "disk", .added = &sys_disk, .names = &kParts};
constexpr ProcNames kDisks = {disk_name, kDisk};
constexpr ProcEntry kBlockLink = {.name = "link", .text = link_to_block};
constexpr ProcNames kBlocksByName = {block_name, kBlockLink},
                    kBlocksByNumber = {block_number, kBlockLink};

// --- processors: each is a package of its own, as /proc/cpuinfo has it

void show_all_processors(TextSink& to) {
    cpu_count > 1 ? format_to(to, "0-{}\n", cpu_count - 1) : to.put("0\n");
}
template <uint32_t value>
void show_value(TextSink& to) {
    format_to(to, "{}\n", value);
}
Result<void> show_own_number(TextSink& to, const ProcTarget& target) {
    format_to(to, "{}\n", target.which);
    return {};
}
Result<void> show_own_bit(TextSink& to, const ProcTarget& target) {
    format_to(to, "{:x}\n", 1u << target.which);
    return {};
}

constexpr ProcEntry kTopology[] = {
    {.name = "core_cpus", .generate = show_own_bit},
    {.name = "core_cpus_list", .generate = show_own_number},
    {.name = "core_id", .show = show_value<0>},
    {.name = "core_siblings", .generate = show_own_bit},
    {.name = "core_siblings_list", .generate = show_own_number},
    {.name = "die_id", .show = show_value<0>},
    {.name = "package_cpus", .generate = show_own_bit},
    {.name = "package_cpus_list", .generate = show_own_number},
    {.name = "physical_package_id", .generate = show_own_number},
    {.name = "thread_siblings", .generate = show_own_bit},
    {.name = "thread_siblings_list", .generate = show_own_number},
};
constexpr ProcEntry kProcessorFiles[] = {{.name = "topology", .children = kTopology}};
constexpr ProcEntry kProcessor = {
    .name = "cpu", .mode = kTypeDirectory | 0555, .children = kProcessorFiles};
constexpr ProcNames kProcessors = {[](const ProcTarget&, int which, Room room) {
                                       return which < static_cast<int>(cpu_count)
                                                  ? format_in(room, "cpu{}", which)
                                                  : std::string_view();
                                   },
                                   kProcessor};
constexpr ProcEntry kAllProcessors[] = {
    {.name = "kernel_max", .show = show_value<kMaxCpus - 1>},
    {.name = "online", .show = show_all_processors},
    {.name = "possible", .show = show_all_processors},
    {.name = "present", .show = show_all_processors},
};

// --- the tree

constexpr uint32_t kDirectory = kTypeDirectory | 0555;
constexpr ProcEntry kSystem[] = {
    {.name = "cpu", .mode = kDirectory, .children = kAllProcessors, .names = &kProcessors}};
constexpr ProcEntry kDevices[] = {{.name = "system", .children = kSystem}};
constexpr ProcEntry kNumbered[] = {
    {.name = "block", .mode = kDirectory, .names = &kBlocksByNumber}};
constexpr ProcEntry kClasses[] = {{.name = "block", .mode = kDirectory, .names = &kBlocksByName}};
constexpr ProcEntry kTop[] = {
    {.name = "block", .mode = kDirectory, .names = &kDisks},
    {.name = "class", .children = kClasses},
    {.name = "dev", .children = kNumbered},
    {.name = "devices", .children = kDevices},
};
constexpr ProcEntry kRoot = {.name = "/", .children = kTop};

constinit FileSystemType sysfs_type{.name = "sysfs",
                                    .needs_device = false,
                                    .mount = [](std::string_view, uint32_t, std::string_view) {
                                        return make_text_file_system("sysfs", 0x62656572, kRoot);
                                    }};
void sysfs_init() { register_file_system(sysfs_type); }
AT_START_UP(sysfs_init);

}  // namespace

constinit ProcDirectory sys_disk;

BlockDevice* sys_disk_of(const ProcTarget& target) { return device_at(target.which); }

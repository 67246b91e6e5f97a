// Swap areas. Spec: swapon(2), swapoff(2).
#include "fs/vfs.hpp"
#include "kernel/syscall/handlers.hpp"
#include "mm/swap.hpp"

namespace {

// Disks only: a file's blocks could not be written without memory.
Result<BlockDevice*> swap_device(UserString name) {
    if (!context().credentials.is_superuser()) return Errno::perm;
    UserText text;
    Result<BlockDevice*> device = device_named(context(), TRY(text.copy(name)));
    if (device.is_error() && device.error() == Errno::notblk) return Errno::inval;
    return device;
}

}  // namespace

Result<void> sys_swapon(UserString name, uint32_t flags) {
    constexpr uint32_t kPrefer = 0x8000, kPriority = 0x7fff, kDiscard = 0x70000;
    if (flags & ~(kPrefer | kPriority | kDiscard)) return Errno::inval;
    BlockDevice& device = *TRY(swap_device(name));
    return swap_on(device, flags & kPrefer ? static_cast<int>(flags & kPriority) : -1);
}

Result<void> sys_swapoff(UserString name) { return swap_off(*TRY(swap_device(name))); }

#include "drivers/block.hpp"

#include <algorithm>

namespace {
constinit BlockDevices g_devices;
}

BlockDevice::BlockDevice(std::string_view name, uint32_t major, uint32_t minor)
    : device_number_(major << 8 | minor) {
    VERIFY(name.size() < sizeof name_);
    std::copy(name.begin(), name.end(), name_);
}

void register_block_device(BlockDevice& device) { g_devices.push_back(device); }

BlockDevice* find_block_device(std::string_view name) {
    for (BlockDevice& device : g_devices)
        if (device.name() == name) return &device;
    return nullptr;
}

BlockDevices& block_devices() { return g_devices; }

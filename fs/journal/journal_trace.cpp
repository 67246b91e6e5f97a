// What the trace tells of a journal; apart, so that host tests do without the trace.
#include "fs/journal/journal.hpp"
#include "kernel/trace/trace.hpp"

namespace journal {

namespace {
constexpr const char* kParts[] = {"revoke", "descriptor", "block", "commit", "home", "superblock"};
constinit TraceNames part_names{"journal_part", [](uint32_t part) { return kParts[part]; },
                                std::size(kParts)};
}  // namespace

void trace_init() { add_trace_names(part_names); }

void trace_begin(const BlockDevice& device, uint32_t transaction) {
    trace<TraceType::journal_begin_event>(device.device_number(), transaction);
}
void trace_join(const BlockDevice& device, uint32_t transaction, uint32_t blocks) {
    trace<TraceType::journal_join_event>(device.device_number(), transaction, blocks);
}
void trace_commit(const BlockDevice& device, uint32_t transaction, uint32_t blocks,
                  uint32_t revokes) {
    trace<TraceType::journal_commit_event>(device.device_number(), transaction, blocks, revokes);
}
void trace_checkpoint(const BlockDevice& device, uint32_t transaction, uint32_t blocks) {
    trace<TraceType::journal_checkpoint_event>(device.device_number(), transaction, blocks);
}
void trace_revoke(const BlockDevice& device, uint32_t transaction, uint32_t block) {
    trace<TraceType::journal_revoke_event>(device.device_number(), transaction, block);
}
void trace_write(const BlockDevice& device, Sector sector, uint32_t sectors, Part part) {
    const uint64_t first = device.start().raw() + sector.raw();
    trace<TraceType::journal_write_event>(device.device_number(), static_cast<uint32_t>(first),
                                          sectors, static_cast<uint32_t>(part));
}

}  // namespace journal

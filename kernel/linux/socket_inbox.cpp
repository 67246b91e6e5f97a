// See socket_inbox.hpp.
#include "kernel/linux/socket_inbox.hpp"

Result<SocketRecord*> SocketInbox::fresh_record() {
    if (!spare_) spare_ = TRY(make_box<SocketRecord>());
    return spare_.get();
}

// `record` is the spare one.
void SocketInbox::queue(SocketRecord& record, SendRequest& from) {
    spare_.leak();
    record.sender = from.sender;
    record.rights = std::move(from.rights);
    if (record.rights) record.rights->sent();
    records_.push_back(record);
    ++record_count_;
}

void SocketInbox::drop_front() {
    Box<SocketRecord> dead(records_.pop_front());
    --record_count_;
    VERIFY(!dead->rights);  // received with the first byte
    dead->from = nullptr;
    dead->bytes = 0;
    spare_ = std::move(dead);
}

void SocketInbox::take_all(SocketRecords& to) {
    to.splice_back(records_);
    record_count_ = 0;
    if (bytes()) ring_.skip(bytes());
}

Result<uint32_t> SocketInbox::append(SendRequest& from) {
    SocketRecord* last = records_.back();
    const bool joins = last && !last->rights && !from.rights && last->sender == from.sender;
    if (!joins) last = TRY(fresh_record());
    const uint32_t done = TRY(ring_.write(from.bytes, room()));
    if (!joins) queue(*last, from);
    last->bytes += done;
    return done;
}

Result<uint32_t> SocketInbox::add(SendRequest& from, const Ref<SocketName>& name) {
    SocketRecord* record = TRY(fresh_record());
    const uint32_t wanted = from.bytes.remaining();
    uint32_t done = 0;
    while (done < wanted) {
        Result<uint32_t> part = ring_.write(from.bytes);
        if (part.is_error()) {
            ring_.take_back(done);
            return part.error();
        }
        done += part.value();
    }
    record->bytes = done;
    record->from = name;
    queue(*record, from);
    return done;
}

Result<uint32_t> SocketInbox::take_bytes(ReceiveRequest& to) {
    uint32_t total = 0;
    for (SocketRecord* record = records_.front(); record && to.bytes.remaining();) {
        if (total && to.tell_sender && record->sender != to.sender) break;
        Result<uint32_t> done = to.peek ? ring_.peek(to.bytes, total, record->bytes)
                                        : ring_.read(to.bytes, record->bytes);
        if (done.is_error()) return total ? Result(total) : done.error();
        total += done.value();
        to.sender = record->sender;
        const bool had_rights = static_cast<bool>(record->rights);
        if (had_rights) SocketRights::receive(record->rights, to.rights, to.peek);
        if (to.peek) {
            if (done.value() < record->bytes) break;
            record = records_.next(*record);
        } else {
            record->bytes -= done.value();
            if (record->bytes) break;
            drop_front();
            record = records_.front();
        }
        if (had_rights) break;
    }
    return total;
}

Result<uint32_t> SocketInbox::take_message(ReceiveRequest& to) {
    SocketRecord& record = *records_.front();
    const uint32_t wanted = std::min(record.bytes, to.bytes.remaining());
    uint32_t done = 0;
    if (wanted) done = TRY(ring_.peek(to.bytes, 0, wanted));
    if (done < wanted) return Errno::fault;
    to.length = record.bytes;
    to.truncated = record.bytes > wanted;
    to.sender = record.sender;
    to.from = record.from;
    if (record.rights) SocketRights::receive(record.rights, to.rights, to.peek);
    if (!to.peek) {
        ring_.skip(record.bytes);
        drop_front();
    }
    return done;
}

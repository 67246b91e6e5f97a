// See record_file.hpp.
#include "user/lab-records/record_file.hpp"

#include <algorithm>
#include <cstring>

std::string RecordFormat::encode(const Record& record) const {
    std::string text(reinterpret_cast<const char*>(&record.key), 4);
    if (variable) {
        const auto length = static_cast<uint16_t>(record.value.size());
        text.append(reinterpret_cast<const char*>(&length), 2);
        return text + record.value;
    }
    text += record.value;
    text.resize(4 + longest);
    return text;
}

Record RecordFormat::decode(PagedFile& file, uint32_t& offset) const {
    Record record;
    file.read(offset, &record.key, 4);
    uint32_t length = longest;
    if (variable) {
        uint16_t stored;
        file.read(offset + 4, &stored, 2);
        length = stored;
    }
    record.value.resize(length);
    file.read(offset + (variable ? 6 : 4), record.value.data(), length);
    offset += (variable ? 6 : 4) + length;
    if (!variable) record.value.resize(std::strlen(record.value.c_str()));
    return record;
}

// --- sequential

void SequentialFile::build(const std::vector<Record>& sorted) {
    std::string all;
    for (const Record& record : sorted) all += format_.encode(record);
    data_.write(0, all.data(), static_cast<uint32_t>(all.size()));
}

// Where lengths differ there is only one way to the next record: through the one before. Where they
// don't, a number is a place, and half of what is left is passed at each step.
uint32_t SequentialFile::place_for(uint32_t key) {
    if (format_.variable) {
        uint32_t at = 0;
        while (at < data_.size()) {
            uint32_t next = at;
            ++compared_;
            if (format_.decode(data_, next).key >= key) break;
            at = next;
        }
        return at;
    }
    uint32_t low = 0, high = data_.size() / format_.most();
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        uint32_t at = middle * format_.most();
        ++compared_;
        if (format_.decode(data_, at).key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low * format_.most();
}

std::optional<Record> SequentialFile::find(uint32_t key) {
    uint32_t at = place_for(key);
    if (at >= data_.size()) return std::nullopt;
    Record record = format_.decode(data_, at);
    if (record.key != key) return std::nullopt;
    return record;
}

void SequentialFile::insert(const Record& record) {
    const uint32_t at = place_for(record.key);
    const std::string text = format_.encode(record);
    data_.insert(at, text.data(), static_cast<uint32_t>(text.size()));
}

Record SequentialFile::at(uint32_t number) {
    uint32_t at = format_.variable ? 0 : number * format_.most();
    if (format_.variable)
        for (; number; --number) format_.decode(data_, at);
    return format_.decode(data_, at);
}

// --- index

Index::Entry Index::get(uint32_t number) {
    Entry entry;
    file_.read(number * sizeof entry, &entry, sizeof entry);
    return entry;
}
void Index::put(uint32_t number, const Entry& entry) {
    file_.write(number * sizeof entry, &entry, sizeof entry);
}
void Index::insert(uint32_t number, const Entry& entry) {
    file_.insert(number * sizeof entry, &entry, sizeof entry);
}
uint32_t Index::behind(uint32_t key, uint64_t& compared) {
    uint32_t low = 0, high = count();
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        ++compared;
        if (get(middle).key <= key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// --- indexed: records lie in the order in which they came

void IndexedFile::build(const std::vector<Record>& sorted) {
    for (const Record& record : sorted) insert(record);
}

std::optional<Record> IndexedFile::find(uint32_t key) {
    const uint32_t behind = index_.behind(key, compared_);
    if (!behind) return std::nullopt;
    const Index::Entry entry = index_.get(behind - 1);
    if (entry.key != key) return std::nullopt;
    uint32_t at = entry.offset;
    return format_.decode(data_, at);
}

void IndexedFile::insert(const Record& record) {
    const std::string text = format_.encode(record);
    const auto bytes = static_cast<uint32_t>(text.size());
    const uint32_t at = data_.size();
    data_.write(at, text.data(), bytes);
    index_.insert(index_.behind(record.key, compared_), {record.key, at, bytes, 1});
}

Record IndexedFile::at(uint32_t number) {
    uint32_t at = index_.get(number).offset;
    return format_.decode(data_, at);
}

// --- indexed-sequential

void IndexedSequentialFile::build(const std::vector<Record>& sorted) {
    const uint32_t filled = std::max(group_ - group_ / 4, 1u);
    for (size_t i = 0; i < sorted.size(); i += filled) {
        const size_t end = std::min(sorted.size(), i + filled);
        index_.insert(index_.count(), {sorted[i].key, 0, 0, 0});
        store(index_.count() - 1,
              {sorted.begin() + static_cast<long>(i), sorted.begin() + static_cast<long>(end)},
              static_cast<uint32_t>(i / filled) * room());
    }
}

void IndexedSequentialFile::store(uint32_t number, const std::vector<Record>& records,
                                  uint32_t offset) {
    std::string text;
    for (const Record& record : records) text += format_.encode(record);
    const auto bytes = static_cast<uint32_t>(text.size());
    text.resize(room());
    data_.write(offset, text.data(), room());
    index_.put(number, {records.front().key, offset, bytes, static_cast<uint32_t>(records.size())});
}

std::vector<Record> IndexedSequentialFile::load(const Index::Entry& entry) {
    std::vector<Record> records;
    for (uint32_t at = entry.offset; records.size() < entry.records;)
        records.push_back(format_.decode(data_, at));
    return records;
}

std::optional<Record> IndexedSequentialFile::find(uint32_t key) {
    const uint32_t behind = index_.behind(key, compared_);
    if (!behind) return std::nullopt;
    const Index::Entry group = index_.get(behind - 1);
    uint32_t at = group.offset;
    for (uint32_t i = 0; i < group.records; ++i) {
        Record record = format_.decode(data_, at);
        ++compared_;
        if (record.key == key) return record;
        if (record.key > key) break;
    }
    return std::nullopt;
}

// A full group is divided: its upper half goes to a new one at the file's end.
void IndexedSequentialFile::insert(const Record& record) {
    const uint32_t behind = index_.behind(record.key, compared_);
    if (!index_.count()) {
        index_.insert(0, {record.key, 0, 0, 0});
        return store(0, {record}, 0);
    }
    const uint32_t number = behind ? behind - 1 : 0;
    const Index::Entry group = index_.get(number);
    std::vector<Record> records = load(group);
    size_t place = 0;
    while (place < records.size() && (++compared_, records[place].key < record.key)) ++place;
    records.insert(records.begin() + static_cast<long>(place), record);
    if (records.size() > group_) {
        const auto half = records.begin() + static_cast<long>(records.size() / 2);
        const std::vector<Record> upper(half, records.end());
        records.erase(half, records.end());
        index_.insert(number + 1, {upper.front().key, 0, 0, 0});
        store(number + 1, upper, data_.size());
    }
    store(number, records, group.offset);
}

Record IndexedSequentialFile::at(uint32_t number) {
    uint32_t group = 0;
    Index::Entry entry = index_.get(0);
    while (number >= entry.records) {
        number -= entry.records;
        entry = index_.get(++group);
    }
    uint32_t at = entry.offset;
    for (; number; --number) format_.decode(data_, at);
    return format_.decode(data_, at);
}

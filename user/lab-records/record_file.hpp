// Files of records with keys: sequential, indexed, and indexed-sequential with groups; records of fixed
// or of variable length.
//
//   sequential           | r1 | r2 | r3 | ...              in the order of keys
//   indexed              | key, where | ... | -> | r7 | r1 | r3 | ...   an entry for each record
//   indexed-sequential   | key, where | ... | -> | r1 r2 - | r3 r4 r5 | ...   an entry for each group
//
// Invariant: entries of an index are in the order of keys, and so are the records of sequential files
// and groups. Keys are unique.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "user/lab-records/paged_file.hpp"

struct Record {
    uint32_t key = 0;
    std::string value{};
    bool operator==(const Record&) const = default;
};

// How a record lies in a file: its key; its length, if lengths differ; its value.
struct RecordFormat {
    bool variable;
    uint32_t longest;  // bytes of a value

    uint32_t bytes_of(const Record& record) const {
        return 4 + (variable ? 2 + static_cast<uint32_t>(record.value.size()) : longest);
    }
    uint32_t most() const { return 4 + (variable ? 2 : 0) + longest; }
    std::string encode(const Record& record) const;
    Record decode(PagedFile& file, uint32_t& offset) const;  // `offset`: behind it afterwards
};

class RecordFile {
  public:
    RecordFile(const std::string& path, RecordFormat format) : format_(format), data_(path) {}
    virtual ~RecordFile() = default;
    RecordFile(const RecordFile&) = delete;

    virtual void build(const std::vector<Record>& sorted) = 0;
    virtual std::optional<Record> find(uint32_t key) = 0;
    virtual void insert(const Record& record) = 0;
    virtual Record at(uint32_t number) = 0;  // in the order of keys, from 0

    uint64_t compared() const { return compared_; }  // keys, so far
    virtual void forget() { data_.forget(); }        // buffers
    virtual uint64_t bytes_written() const { return data_.bytes_written; }
    virtual uint32_t index_bytes() const { return 0; }
    uint32_t data_bytes() const { return data_.size(); }

  protected:
    RecordFormat format_;
    PagedFile data_;
    uint64_t compared_ = 0;
};

class SequentialFile final : public RecordFile {
  public:
    using RecordFile::RecordFile;
    void build(const std::vector<Record>& sorted) override;
    std::optional<Record> find(uint32_t key) override;
    void insert(const Record& record) override;
    Record at(uint32_t number) override;

  private:
    uint32_t place_for(uint32_t key);  // of the first record with a key that is not smaller
};

// An index in a file of its own. The entry's form is the same for both kinds.
class Index {
  public:
    struct Entry {
        uint32_t key, offset, bytes, records;
    };
    explicit Index(const std::string& path) : file_(path) {}
    uint32_t count() const { return file_.size() / sizeof(Entry); }
    Entry get(uint32_t number);
    void put(uint32_t number, const Entry& entry);
    void insert(uint32_t number, const Entry& entry);
    // Of the first entry with a larger key, by halving; `compared` counts keys.
    uint32_t behind(uint32_t key, uint64_t& compared);
    const PagedFile& file() const { return file_; }
    void forget() { file_.forget(); }

  private:
    PagedFile file_;
};

// A file of records with an index beside it.
class FileWithIndex : public RecordFile {
  public:
    FileWithIndex(const std::string& path, RecordFormat format)
        : RecordFile(path, format), index_(path + ".index") {}
    uint64_t bytes_written() const override {
        return data_.bytes_written + index_.file().bytes_written;
    }
    uint32_t index_bytes() const override { return index_.file().size(); }
    void forget() override {
        data_.forget();
        index_.forget();
    }

  protected:
    Index index_;
};

class IndexedFile final : public FileWithIndex {
  public:
    using FileWithIndex::FileWithIndex;
    void build(const std::vector<Record>& sorted) override;
    std::optional<Record> find(uint32_t key) override;
    void insert(const Record& record) override;
    Record at(uint32_t number) override;
};

// Groups of up to `group` records; when made, a quarter of each is left free.
class IndexedSequentialFile final : public FileWithIndex {
  public:
    IndexedSequentialFile(const std::string& path, RecordFormat format, uint32_t group)
        : FileWithIndex(path, format), group_(group) {}
    void build(const std::vector<Record>& sorted) override;
    std::optional<Record> find(uint32_t key) override;
    void insert(const Record& record) override;
    Record at(uint32_t number) override;

  private:
    uint32_t room() const { return group_ * format_.most(); }
    std::vector<Record> load(const Index::Entry& entry);
    // Writes a group's records where the entry says, and what it says of them.
    void store(uint32_t number, const std::vector<Record>& records, uint32_t offset);

    uint32_t group_;
};

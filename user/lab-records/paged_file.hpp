// A file that is read a page at a time, through one buffer of a page: what a library of records, which
// has little memory of its own, asks the system for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

class PagedFile {
  public:
    static constexpr uint32_t kPage = 4096;

    explicit PagedFile(const std::string& path);  // made anew, empty
    ~PagedFile();
    PagedFile(const PagedFile&) = delete;

    uint32_t size() const { return size_; }
    void read(uint32_t offset, void* to, uint32_t bytes);
    void write(uint32_t offset, const void* from, uint32_t bytes);
    // Makes room at `offset`, by moving what is behind it.
    void insert(uint32_t offset, const void* from, uint32_t bytes);
    std::vector<char> bytes(uint32_t offset, uint32_t count);
    void forget() { page_ = UINT32_MAX; }  // the buffer's page

    uint64_t pages_read = 0, bytes_written = 0;

  private:
    void load(uint32_t page);

    int fd_;
    uint32_t size_ = 0, page_ = UINT32_MAX, in_page_ = 0;
    std::vector<char> buffer_ = std::vector<char>(kPage);
};

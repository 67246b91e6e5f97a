// See paged_file.hpp.
#include "user/lab-records/paged_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "user/lab/command.hpp"

PagedFile::PagedFile(const std::string& path)
    : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    if (fd_ < 0) lab::fail("%s: %s", path.c_str(), strerror(errno));
}
PagedFile::~PagedFile() { close(fd_); }

void PagedFile::load(uint32_t page) {
    if (page == page_) return;
    const ssize_t done = pread(fd_, buffer_.data(), kPage, static_cast<off_t>(page) * kPage);
    if (done < 0) lab::fail("read: %s", strerror(errno));
    page_ = page;
    in_page_ = static_cast<uint32_t>(done);
    ++pages_read;
}

void PagedFile::read(uint32_t offset, void* to, uint32_t bytes) {
    auto* out = static_cast<char*>(to);
    while (bytes) {
        load(offset / kPage);
        const uint32_t at = offset % kPage;
        if (at >= in_page_) lab::fail("a record lies behind the file's end");
        const uint32_t part = std::min(bytes, in_page_ - at);
        std::memcpy(out, &buffer_[at], part);
        out += part;
        offset += part;
        bytes -= part;
    }
}

void PagedFile::write(uint32_t offset, const void* from, uint32_t bytes) {
    if (pwrite(fd_, from, bytes, static_cast<off_t>(offset)) != static_cast<ssize_t>(bytes))
        lab::fail("write: %s", strerror(errno));
    size_ = std::max(size_, offset + bytes);
    bytes_written += bytes;
    page_ = UINT32_MAX;
}

void PagedFile::insert(uint32_t offset, const void* from, uint32_t bytes) {
    std::vector<char> moved(static_cast<const char*>(from), static_cast<const char*>(from) + bytes);
    const std::vector<char> tail = this->bytes(offset, size_ - offset);
    moved.insert(moved.end(), tail.begin(), tail.end());
    write(offset, moved.data(), static_cast<uint32_t>(moved.size()));
}

std::vector<char> PagedFile::bytes(uint32_t offset, uint32_t count) {
    std::vector<char> all(count);
    read(offset, all.data(), count);
    return all;
}

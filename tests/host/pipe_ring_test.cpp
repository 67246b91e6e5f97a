// sources:
// The ring of a pipe: bytes come out in order whatever the sizes, pages exist only where bytes lie.
#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

#include "kernel/ipc/pipe_ring.hpp"

namespace {

int live_pages;
int page_limit = 1000;

struct CountedPages {
    void* allocate() {
        if (live_pages >= page_limit) return nullptr;
        ++live_pages;
        return ::operator new(kPageSize);
    }
    void release(void* page) {
        --live_pages;
        ::operator delete(page);
    }
};
using Ring = PipeRing<CountedPages>;

// Gives up after `good` bytes, as a bad user pointer does.
class FaultySource final : public ByteSource {
  public:
    FaultySource(uint32_t bytes, uint32_t good) : ByteSource(bytes), good_(good) {}

  private:
    uint32_t do_take(void* to, uint32_t bytes) override {
        const uint32_t done = std::min(bytes, good_);
        memset(to, 'x', done);
        good_ -= done;
        return done;
    }
    uint32_t good_;
};

uint32_t put(Ring& ring, const std::vector<uint8_t>& bytes) {
    KernelSource source(bytes);
    Result<uint32_t> done = ring.write(source);
    return done ? done.value() : 0;
}
std::vector<uint8_t> take(Ring& ring, uint32_t bytes) {
    std::vector<uint8_t> out(bytes);
    KernelSink sink(out);
    Result<uint32_t> done = ring.read(sink);
    out.resize(done ? done.value() : 0);
    return out;
}

TEST(PipeRing, BytesComeOutInOrder) {
    {
        Ring ring;
        std::mt19937 random(7);
        std::deque<uint8_t> model;
        uint8_t next = 0;
        for (int step = 0; step < 20000; ++step) {
            // Long phases of filling and of draining, so that the ring wraps both full and empty.
            const bool filling = step / 50 % 2 ? random() % 4 : !(random() % 4);
            const uint32_t size = 1 + random() % (random() % 3 ? 100 : 20000);
            if (filling && ring.room()) {
                std::vector<uint8_t> bytes(size);
                for (auto& byte : bytes) byte = next++;
                const uint32_t done = put(ring, bytes);
                ASSERT_EQ(done, std::min<size_t>(size, Ring::kCapacity - model.size()));
                model.insert(model.end(), bytes.begin(), bytes.begin() + done);
                next = static_cast<uint8_t>(next - (size - done));
            } else if (!ring.empty()) {
                const auto out = take(ring, size);
                ASSERT_EQ(out.size(), std::min<size_t>(size, model.size()));
                ASSERT_TRUE(std::equal(out.begin(), out.end(), model.begin()));
                model.erase(model.begin(), model.begin() + static_cast<long>(out.size()));
            }
            ASSERT_EQ(ring.count(), model.size());
            ASSERT_LE(live_pages, static_cast<int>(ring.count() / kPageSize) + 3);
        }
    }
    EXPECT_EQ(live_pages, 0);
}

TEST(PipeRing, SmallMessagesUseOnePage) {
    Ring ring;
    for (int i = 0; i < 10000; ++i) {
        ASSERT_EQ(put(ring, {1, 2, 3}), 3u);
        ASSERT_EQ(take(ring, 10).size(), 3u);
        ASSERT_EQ(live_pages, 1);
    }
}

TEST(PipeRing, FillsToItsCapacity) {
    Ring ring;
    put(ring, std::vector<uint8_t>(100));
    take(ring, 99);
    EXPECT_EQ(put(ring, std::vector<uint8_t>(2 * Ring::kCapacity)), Ring::kCapacity - 1);
    EXPECT_EQ(ring.room(), 0u);
    EXPECT_EQ(take(ring, 2 * Ring::kCapacity).size(), Ring::kCapacity);
    EXPECT_EQ(live_pages, 1);
}

TEST(PipeRing, ResizedItKeepsWhatIsInIt) {
    {
        Ring ring;
        std::vector<uint8_t> bytes(Ring::kCapacity);
        for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i / 11);
        put(ring, std::vector<uint8_t>(100));
        put(ring, bytes);
        take(ring, 100);
        put(ring, bytes);  // the end has come round into the page of the beginning
        ASSERT_EQ(ring.room(), 0u);
        EXPECT_EQ(ring.resize(8).error(), Errno::busy);
        ASSERT_TRUE(ring.resize(64).is_ok());
        EXPECT_EQ(ring.room(), 48 * kPageSize);
        EXPECT_EQ(put(ring, bytes), bytes.size());
        std::vector<uint8_t> all = take(ring, 2 * Ring::kCapacity);
        EXPECT_TRUE(std::equal(bytes.begin(), bytes.end() - 100, all.begin()));
        EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), all.end() - Ring::kCapacity));
        put(ring, {4, 5, 6});
        ASSERT_TRUE(ring.resize(1).is_ok());
        EXPECT_EQ(put(ring, bytes), kPageSize - 3);
        page_limit = live_pages;
        EXPECT_EQ(ring.resize(16).error(), Errno::nomem);
        page_limit = 1000;
        EXPECT_EQ(take(ring, 3), (std::vector<uint8_t>{4, 5, 6}));
        ASSERT_TRUE(ring.resize(16).is_ok());
        ASSERT_TRUE(ring.resize(16).is_ok());
        EXPECT_EQ(take(ring, 2 * kPageSize).size(), kPageSize - 3);
    }
    EXPECT_EQ(live_pages, 0);
}

TEST(PipeRing, PeeksSkipsAndTakesBack) {
    {
        Ring ring;
        std::vector<uint8_t> bytes(3 * kPageSize);
        for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i / 7);
        put(ring, std::vector<uint8_t>(100));
        put(ring, bytes);
        ring.skip(100);
        std::vector<uint8_t> seen(2 * kPageSize);
        KernelSink sink(seen);
        EXPECT_EQ(ring.peek(sink, 10, 6000).value(), 6000u);
        EXPECT_TRUE(std::equal(seen.begin(), seen.begin() + 6000, bytes.begin() + 10));
        EXPECT_EQ(ring.count(), bytes.size());
        put(ring, std::vector<uint8_t>(2 * kPageSize, 'x'));
        ring.take_back(2 * kPageSize);
        put(ring, {1, 2, 3});
        EXPECT_EQ(take(ring, 3 * kPageSize), bytes);
        EXPECT_EQ(take(ring, 100), (std::vector<uint8_t>{1, 2, 3}));
        KernelSource source(bytes);
        EXPECT_EQ(ring.write(source, 5000).value(), 5000u);
        ring.take_back(5000);
        EXPECT_TRUE(ring.empty());
        put(ring, bytes);
        ring.skip(3 * kPageSize);
        EXPECT_TRUE(ring.empty());
        EXPECT_EQ(put(ring, std::vector<uint8_t>(2 * Ring::kCapacity)), Ring::kCapacity);
    }
    EXPECT_EQ(live_pages, 0);
}

TEST(PipeRing, FaultsAndShortageLeaveWhatWasDone) {
    {
        Ring ring;
        FaultySource none(10, 0);
        EXPECT_EQ(ring.write(none).error(), Errno::fault);
        EXPECT_TRUE(ring.empty());
        FaultySource some(10000, 5000);
        EXPECT_EQ(ring.write(some).value(), 5000u);
        EXPECT_EQ(take(ring, 10000).size(), 5000u);
        page_limit = live_pages;
        EXPECT_EQ(put(ring, std::vector<uint8_t>(10000)), kPageSize);
        FaultySource more(10, 10);
        EXPECT_EQ(ring.write(more).error(), Errno::nomem);
        page_limit = 1000;
    }
    EXPECT_EQ(live_pages, 0);
}

}  // namespace

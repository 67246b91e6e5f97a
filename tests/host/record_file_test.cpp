// Files of records against a map, under random insertions and look-ups; what a look-up compares.
// sources: user/lab-records/record_file.cpp user/lab-records/paged_file.cpp user/lab/command.cpp
#include "user/lab-records/record_file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <map>
#include <random>

namespace {

struct RecordFiles : testing::TestWithParam<bool> {
    std::string path = testing::TempDir() + "records." + std::to_string(getpid());
    RecordFormat format{GetParam(), 40};
    void TearDown() override {
        unlink(path.c_str());
        unlink((path + ".index").c_str());
    }
    std::unique_ptr<RecordFile> make(int kind) {
        if (kind == 0) return std::make_unique<SequentialFile>(path, format);
        if (kind == 1) return std::make_unique<IndexedFile>(path, format);
        return std::make_unique<IndexedSequentialFile>(path, format, 8);
    }
};
INSTANTIATE_TEST_SUITE_P(FixedAndVariable, RecordFiles, testing::Bool());

TEST_P(RecordFiles, HoldWhatAMapHolds) {
    for (int kind = 0; kind < 3; ++kind) {
        std::mt19937 random(12);
        std::map<uint32_t, std::string> expected;
        while (expected.size() < 200)
            expected[random() % 5000] = std::string(random() % 40 + 1, 'x');
        std::vector<Record> sorted;
        for (const auto& [key, value] : expected) sorted.push_back({key, value});
        const std::unique_ptr<RecordFile> file = make(kind);
        file->build(sorted);
        for (int step = 0; step < 300; ++step) {
            const uint32_t key = random() % 5000;
            const auto known = expected.find(key);
            const std::optional<Record> found = file->find(key);
            ASSERT_EQ(found.has_value(), known != expected.end()) << key;
            if (found) {
                EXPECT_EQ(found->value, known->second);
            } else {
                expected[key] = std::to_string(step);
                file->insert({key, expected[key]});
            }
        }
        uint32_t number = 0;
        for (const auto& [key, value] : expected) {
            const Record record = file->at(number++);
            ASSERT_EQ(record, (Record{key, value}));
        }
    }
}

TEST_P(RecordFiles, CompareAsManyKeysAsTheTextbookSays) {
    std::vector<Record> sorted;
    for (uint32_t i = 0; i < 500; ++i) sorted.push_back({10 * i, "v"});
    std::unique_ptr<RecordFile> files[3];
    for (int kind = 0; kind < 3; ++kind) {
        files[kind] = make(kind);
        files[kind]->build(sorted);
        TearDown();  // the next one gets files of its own
    }
    auto& [sequential, indexed, groups] = files;
    for (uint32_t i = 0; i < 500; ++i) {
        const auto compared = [&](RecordFile& file) {
            const uint64_t before = file.compared();
            EXPECT_TRUE(file.find(10 * i));
            return file.compared() - before;
        };
        const uint64_t of_sequential = compared(*sequential);
        if (GetParam())
            EXPECT_EQ(of_sequential, i + 1);
        else
            EXPECT_LE(of_sequential, std::bit_width(500u));
        EXPECT_LE(compared(*indexed), std::bit_width(500u));
        // Groups of 6: 84 of them, then those before it in its group and itself.
        const uint64_t of_groups = compared(*groups);
        EXPECT_LE(of_groups, std::bit_width(84u) + i % 6 + 1);
        EXPECT_GE(of_groups, i % 6 + 1);
    }
}

}  // namespace

// sources:
// Directory records of ISO 9660: plain and Rock Ridge names, and whatever bytes a disk may hold.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "fs/iso9660/record.hpp"

namespace {

std::vector<uint8_t> record(const std::string& name, const std::string& area = {}) {
    std::vector<uint8_t> r(33);
    r[2] = 20;
    r[10] = 5;
    r[32] = static_cast<uint8_t>(name.size());
    r.insert(r.end(), name.begin(), name.end());
    if (name.size() % 2 == 0) r.push_back(0);
    r.insert(r.end(), area.begin(), area.end());
    r[0] = static_cast<uint8_t>(r.size());
    return r;
}

TEST(Iso, NamesWithoutVersionInLowerCase) {
    auto bytes = record("README.TXT;1");
    auto r = iso::decode_record(bytes);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->view(), "readme.txt");
    EXPECT_EQ(r->extent, 20u);
    EXPECT_EQ(r->bytes, 5u);
    bytes = record("MAKEFILE.;1");
    EXPECT_EQ(iso::decode_record(bytes)->view(), "makefile");
}

TEST(Iso, RockRidgeNames) {
    auto bytes = record("A.;1", std::string("PX\x04\x01NM\x09\x01\0Name", 13));
    EXPECT_EQ(iso::decode_record(bytes)->view(), "Name");
    bytes = record("A.;1", std::string("NM\x09\x01\0a/\0b", 9));
    EXPECT_EQ(iso::decode_record(bytes)->view(), "a??b");
}

TEST(Iso, AnyBytesAreTakenOrRefused) {
    std::mt19937 random(1);
    for (uint32_t i = 0; i < 200'000; ++i) {
        std::vector<uint8_t> bytes(1 + random() % 300);
        for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
        if (random() % 2 && bytes.size() > 33) bytes[32] = static_cast<uint8_t>(random() % 40);
        if (auto r = iso::decode_record(bytes)) {
            ASSERT_LE(r->length, bytes.size());
            ASSERT_LE(r->name_length, 255u);
            ASSERT_EQ(r->view().find('/'), std::string_view::npos);
        }
    }
}

}  // namespace

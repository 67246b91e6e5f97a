// ChaCha20: 64 bytes of keystream from a key, a counter and a nonce. Pure.
// Spec: RFC 8439, 2.1 to 2.3.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

using ChaChaKey = std::array<uint32_t, 8>;
using ChaChaBlock = std::array<uint32_t, 16>;  // its bytes are these words, little-endian

constexpr void chacha_quarter_round(ChaChaBlock& s, int a, int b, int c, int d) {
    s[a] += s[b], s[d] = std::rotl(s[d] ^ s[a], 16);
    s[c] += s[d], s[b] = std::rotl(s[b] ^ s[c], 12);
    s[a] += s[b], s[d] = std::rotl(s[d] ^ s[a], 8);
    s[c] += s[d], s[b] = std::rotl(s[b] ^ s[c], 7);
}

constexpr ChaChaBlock chacha20_block(const ChaChaKey& key, uint32_t counter,
                                     const std::array<uint32_t, 3>& nonce = {}) {
    // "expand 32-byte k"
    const ChaChaBlock start = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, key[0], key[1],
                               key[2],     key[3],     key[4],     key[5],     key[6], key[7],
                               counter,    nonce[0],   nonce[1],   nonce[2]};
    ChaChaBlock s = start;
    for (int twice = 0; twice < 10; ++twice) {
        for (int column = 0; column < 4; ++column)
            chacha_quarter_round(s, column, column + 4, column + 8, column + 12);
        for (int i = 0; i < 4; ++i)
            chacha_quarter_round(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
    for (int i = 0; i < 16; ++i) s[i] += start[i];
    return s;
}

// What the kernel uses of the C++ library, precompiled (scripts/cmake/kernel.cmake). Sources include
// what they use all the same: the lint step compiles each without this.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

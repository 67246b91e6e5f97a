// The cross libstdc++ of a distribution is configured as hosted. This turns its configuration into a
// freestanding one: no libc, no wide characters, no threads. Found before the real file, which it
// includes first.
#pragma once
#include_next <bits/c++config.h>
#undef _GLIBCXX_HOSTED
#define _GLIBCXX_HOSTED 0
#undef _GLIBCXX_HAS_GTHREADS
#undef _GLIBCXX_HAVE_WCHAR_H
#undef _GLIBCXX_HAVE_MBSTATE_T
#undef _GLIBCXX_USE_WCHAR_T

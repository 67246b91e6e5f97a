// Stands in for glibc's <features.h>, which the hosted libstdc++'s configuration includes.
#pragma once
#define __GLIBC_PREREQ(major, minor) 0

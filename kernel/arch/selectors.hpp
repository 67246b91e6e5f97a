// Segment selectors: the layout of every CPU's GDT. Also included by assembly.
// TLS slots are 6-8 as in Linux i386, so that %gs = 0x33 there too.
#pragma once

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_CODE 0x1b
#define SELECTOR_USER_DATA 0x23
#define SELECTOR_TSS 0x28
#define GDT_TLS_FIRST 6
#define GDT_TLS_COUNT 3
#define SELECTOR_CPU 0x48
#define SELECTOR_DOUBLE_FAULT_TSS 0x50
#define SELECTOR_LDT 0x58
#define GDT_ENTRIES 12

// A whole ELF program in 84 bytes of headers and a few of code, for tests that need one to spoil.
// Spec: System V ABI, chapters 4 and 5; i386 supplement.
#pragma once
#include <elf.h>

#include <cstddef>

struct TinyElf {
    Elf32_Ehdr header;
    Elf32_Phdr segment;
    unsigned char code[12];
};
inline constexpr unsigned kTinyBase = 0x08048000;
inline constexpr int kTinyStatus = 42;

// A program that exits with kTinyStatus at once.
inline TinyElf tiny_elf() {
    TinyElf elf = {};
    elf.header = {.e_ident = {0x7F, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                  .e_type = ET_EXEC,
                  .e_machine = EM_386,
                  .e_version = EV_CURRENT,
                  .e_entry = kTinyBase + offsetof(TinyElf, code),
                  .e_phoff = offsetof(TinyElf, segment),
                  .e_shoff = 0,
                  .e_flags = 0,
                  .e_ehsize = sizeof(Elf32_Ehdr),
                  .e_phentsize = sizeof(Elf32_Phdr),
                  .e_phnum = 1,
                  .e_shentsize = 0,
                  .e_shnum = 0,
                  .e_shstrndx = 0};
    elf.segment = {.p_type = PT_LOAD,
                   .p_offset = 0,
                   .p_vaddr = kTinyBase,
                   .p_paddr = kTinyBase,
                   .p_filesz = sizeof(TinyElf),
                   .p_memsz = sizeof(TinyElf),
                   .p_flags = PF_R | PF_X,
                   .p_align = 4096};
    // mov $1, %eax; mov $42, %ebx; int $0x80
    const unsigned char code[] = {0xB8, 1, 0, 0, 0, 0xBB, kTinyStatus, 0, 0, 0, 0xCD, 0x80};
    for (unsigned i = 0; i < sizeof code; i++) elf.code[i] = code[i];
    return elf;
}

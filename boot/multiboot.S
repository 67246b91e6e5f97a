// What loaders look for in the file's first pages: a Multiboot2 header (GRUB), and a Multiboot1
// header beside it (QEMU's -kernel, and loaders that know no other). Both leave the loading to the
// ELF program headers; the screen is in text mode, or what Multiboot2's loader has where there is none.
// Spec: Multiboot2 3.1 (header tags); Multiboot 0.6.96 3.1.

#define MB1_MAGIC 0x1BADB002
#define MB1_FLAGS 0x00000003        // modules on page boundaries; memory map wanted
#define MB2_MAGIC 0xE85250D6
#define MB2_I386 0

    .section .multiboot, "a", @progbits
    .align 8
multiboot2_header:
    .long MB2_MAGIC, MB2_I386
    .long multiboot2_end - multiboot2_header
    .long -(MB2_MAGIC + MB2_I386 + (multiboot2_end - multiboot2_header))
    // Tag 1: information that we need: command line (1), modules (3), memory map (6).
    .short 1, 0
    .long 20
    .long 1, 3, 6
    .align 8
    // Tag 6: modules on page boundaries.
    .short 6, 0
    .long 8
    .align 8
    // Tag 4: text mode will do. Tag 5: so will pixels, in any size; optional, as is what it asks for.
    .short 4, 0
    .long 12, 2
    .align 8
    .short 5, 1
    .long 20, 0, 0, 0
    .align 8
    // Tag 0: the end.
    .short 0, 0
    .long 8
multiboot2_end:

    .align 4
    .long MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)

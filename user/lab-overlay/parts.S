# The parts of lab-overlay: sections of its text, in whole pages, linked where they never run. Each
# is copied nowhere: its pages of the executable file are mapped over the overlay area, and run there,
# so the code knows no address of its own.
#
# unsigned part(const unsigned* pages, unsigned count): the sum of the last words of its pages, times
# what only this part does.

.macro part name, pages, factor
    .section .text.overlay.\name, "ax", @progbits
    .balign 4096
    .global overlay_\name, overlay_\name\()_end
overlay_\name:
    movl 4(%esp), %edx
    movl 8(%esp), %ecx
    xorl %eax, %eax
1:  addl 4092(%edx), %eax
    addl $4096, %edx
    decl %ecx
    jnz 1b
    imull $\factor, %eax
    ret
    .set page, 0
    .rept \pages
    .org overlay_\name + page * 4096 + 4092
    .long page + 1
    .set page, page + 1
    .endr
overlay_\name\()_end:
.endm

part read, 3, 10
part sort, 5, 100
part print, 2, 1000

# Where they run: as large as the largest of them, and empty at first.
    .section .text.overlay.area, "ax", @progbits
    .balign 4096
    .global overlay_area, overlay_area_end
overlay_area:
    .fill 5 * 4096, 1, 0xf4
overlay_area_end:

    .section .note.GNU-stack, "", @progbits

# lab-segments: protection, both translations of an address, segments on demand. vtop: the MMU's walk.
. "$(dirname "$0")/harness.sh"

guest --exec 'lab-segments' </dev/null
status_is 0
output_has '^limits by LSL: 15 15 5 0$'
output_has '^read   07:0000000c  44$'
output_has '^read   07:00000010  (#GP|55: beyond)'  # processors fault, the emulator doesn't
output_has '^write  0f:00000000  (#GP|done: a read-only)'
output_has '^call   17:00000000  returned 77$'
output_has '^call\+  17           #GP, error (14|00): SIGSEGV$'
output_has '^call   07           #GP, error 04: SIGSEGV$'
output_has '^load   1f           #NP, error 1c: SIGBUS$'
output_has '^load   13           #GP, error 10: SIGSEGV$'
output_has '^27:00000f00  base 20000100 \+ 00000f00 = linear 20001000$'
output_has '^read 27:00000f00 = 4242, by the linear address 4242$'
output_has '^read segment 3: 3007$'
output_has '^3 faults for 5 accesses'
[ "$(grep -c '^#NP' "$out")" = 3 ] || fail 'not 3 segments were brought in'

guest --exec 'vtop 8048123 c0400000 1000; vtop --pid 1 bffff000 || echo refused' </dev/null
status_is 0
output_has '^08048123 = directory 32, table 72, offset 123$'
output_has '^  PDE  [0-9a-f]{5}[0-9a-f]27 at [0-9a-f]{5}080: table in frame'
output_has '^  physical [0-9a-f]{5}123$'
output_has '4 MiB'
output_has '^  physical 00400000$'
output_has 'no page table: an access is a page fault$'

guest --icount --exec 'lab-pages w3=5 walk3 ro3-3 w3=6 w9=7 x3,9 r3 unmap3-3 r3; lab-descriptor 12345678:fff:read-only tls=2000:fffff:pages' </dev/null
output_is 'w3=5: 5
walk3: directory 128, table 1021: present writable user accessed dirty, frame A
ro3-3: 1 forgotten
w3=6: refused
w9=7: 7
x3,9: done
r3: 7
unmap3-3: 1 forgotten
r3: refused
12345678:fff:read-only: 1240f13456780fff, last 00000fff
tls=2000:fffff:pages: 2000:fffff:pages'
guest --exec 'su student -c "vtop c0400000 8048000"' </dev/null
errors_have 'not yours to see'
finish

# What the log says of a program that did what it may not: exception, selector and privilege.
. "$(dirname "$0")/harness.sh"
exec </dev/null

cat >"$work/offend.c" <<'E2'
#include <stdlib.h>
int main(int argc, char *argv[])
{
    switch (atoi(argv[argc - 1])) {
    case 0: __asm__ volatile("cli"); break;
    case 1: __asm__ volatile("hlt"); break;
    case 2: __asm__ volatile("inb $0x60, %%al" ::: "eax"); break;
    case 3: __asm__ volatile("movl %%eax, %%cr3" ::: "memory"); break;
    case 4: *(volatile char *)0xC0000000 = 1; break;
    case 5: __asm__ volatile("divl %0" ::"r"(0), "a"(1), "d"(0)); break;
    case 6: __asm__ volatile("ud2"); break;
    }
    return 0;
}
E2
i686-linux-gnu-gcc -static -O1 -w -o "$work/offend" "$work/offend.c" || fail 'cannot compile'
guest --add "$work/offend:/bin/offend" --exec '
    for i in 0 1 2 3 4 5 6; do (offend $i) 2>/dev/null; echo $i $?; done; dmesg | grep offend
    while :; do echo alive; break; done'
status_is 0
check 'the statuses' [ "$(head -7 "$out")" = $'0 139\n1 139\n2 139\n3 139\n4 139\n5 136\n6 132' ]
check 'four #GP' [ "$(grep -Ec 'offend\[[0-9]+\]: #GP .*eip 08[0-9a-f]{6}.* cs 1b \(CPL 3\)' "$out")" = 4 ]
output_has '#PF .*error 7, address c0000000, cs 1b \(CPL 3\): signal 11'
output_has '#DE .*cs 1b \(CPL 3\): signal 8'
output_has '#UD .*cs 1b \(CPL 3\): signal 4'
output_has '^alive$'
finish

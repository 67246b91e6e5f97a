#!/usr/bin/env bash
# The kernel without the wing (ORRERY_LINUX_WING=OFF) builds, boots to the shell, and passes the tests
# of the guest that are not the wing's; the wing's calls fail with ENOSYS, its files are not there.
# timeout: 900
# programs: all
. "$(dirname "$0")/harness.sh"

another_kernel core -DORRERY_LINUX_WING=OFF
guest --exec 'echo $((6 * 7)); ls -d /proc/self/stat /proc/net/unix /proc/sys/fs/mqueue'
output_is $'42\n/proc/self/stat'
guest --exec '/usr/lib/orrery/tests/socketpair'
output_has 'Function not implemented'
guest_tests 'needs: wing' --mem 256
finish

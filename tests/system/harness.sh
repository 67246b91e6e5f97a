# Sourced by the tests of this folder. A test states what it does, and goes on after a failure:
#
#     . "$(dirname "$0")/harness.sh"
#     guest [OPTIONS] --exec CMD      # runs it; sets status, and files $out, $err, $log
#     status_is 7                     # and the other checks below
#     finish                          # last line: the test's status
#
# Each test has a scratch folder of its own in $work. Standard input of `guest` is its caller's.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=$work/out err=$work/err log=$work/log
build=${ORRERY_BUILD:-build}
root_image=${ORRERY_IMAGE:=$build/tests.img}  # the root disk of all these tests (tests/image makes it)
export ORRERY_IMAGE
failures=0
status=
shown=
failed_before=none  # its output has been printed

guest() {
    shown="run $*"
    ./scripts/run --timeout 200 --log "$log" "$@" >"$out" 2>"$err"
    status=$?
}

# another_kernel NAME CMAKE_OPTION... : build/NAME/kernel.elf, which `guest` boots from then on
another_kernel() {
    export ORRERY_KERNEL=$PWD/$build/$1/kernel.elf
    cmake --preset default -B "$build/$1" -DORRERY_SEED="$(realpath "$build")" "${@:2}" >"$work/build" 2>&1 &&
        ninja -C "$build/$1" kernel.elf >>"$work/build" 2>&1 || { tail -n 30 "$work/build"; exit 1; }
}

# guest_tests LEFT_OUT OPTION... : the tests of the guest that want no options of their own, in one
# boot, but those with a line that matches LEFT_OUT
guest_tests() {
    local names
    names=$(grep -LE "^(//|/?\\*)? ?(run:|boot:|driven by:|$1)" tests/guest/*.{c,cpp} | sed 's,.*/,,; s,\..*,,')
    guest "${@:2}" --exec "for t in $(echo $names); do
        timeout 60 /usr/lib/orrery/tests/\$t >/tmp/out 2>&1 || { echo FAIL \$t; tail -n 3 /tmp/out; }
        done; echo end"
    output_is end
}

fail() {
    failures=$((failures + 1))
    if [ "$shown" = "$failed_before" ]; then
        printf 'FAIL (line %s) %s\n' "${BASH_LINENO[1]}" "$1"
        return
    fi
    failed_before=$shown
    printf 'FAIL (line %s) %s\n  in: %s\n' "${BASH_LINENO[1]}" "$1" "$shown"
    printf '%s\n' "  status ${status:-}" '  output:' "$(tail -c 2500 "$out" 2>/dev/null)" \
        '  error output:' "$(tail -c 2500 "$err" 2>/dev/null)"
    [ -s "$log" ] && printf '%s\n' '  kernel log:' "$(tail -n 15 "$log")"
}

check() { # check DESCRIPTION COMMAND...
    local what=$1
    shift
    "$@" >/dev/null 2>&1 || fail "$what"
}
status_is() { [ "$status" = "$1" ] || fail "status $status, not $1"; }
output_is() { [ "$(cat "$out")" = "$1" ] || fail "the output is not: $1"; }
output_has() { grep -Eq -- "$1" "$out" || fail "the output has no: $1"; }
errors_have() { grep -Eq -- "$1" "$err" || fail "the error output has no: $1"; }
no_errors() { [ ! -s "$err" ] || fail "there is error output"; }
log_has() { grep -Eq -- "$1" "$log" || fail "the kernel's log has no: $1"; }

finish() {
    [ $failures -eq 0 ] && echo "all as expected"
    exit $((failures > 0))
}

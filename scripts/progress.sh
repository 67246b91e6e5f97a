# Sourced by scripts that take long. `NAME | progress WHAT` turns ninja's lines (under $NINJA_STATUS) into
# one on standard error that overwrites itself, with the time that is left, and goes at the end:
#     build: 120 of 245, about 20 s more
# Where standard error is no terminal, nothing is shown.
export NINJA_STATUS='[%f %t %e] '

progress() {
    local line left
    while IFS= read -r line; do
        [ -t 2 ] && [[ $line =~ ^\[([0-9]+)\ ([0-9]+)\ ([0-9]+) ]] || continue
        left=
        # The first steps say little of the others.
        [ "${BASH_REMATCH[3]}" -ge 3 ] && left=", about $((BASH_REMATCH[3] *
            (BASH_REMATCH[2] - BASH_REMATCH[1]) / BASH_REMATCH[1] + 1)) s more"
        printf '\r\033[K%s' "$1: ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}$left" >&2
    done
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

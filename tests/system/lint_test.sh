# scripts/lint finds nothing, and finds what it should: a field that is read without its lock.
# Skipped without clang 14, Debian 12's: other versions format and warn in other ways.
# timeout: 900
. "$(dirname "$0")/harness.sh"

clang-format --version 2>/dev/null | grep -q ' 14\.' && command -v clang++ >/dev/null || exit 77
./scripts/lint --fast || fail 'scripts/lint --fast complains'

cat >"$work/unlocked.cpp" <<'EOF'
#include "kernel/sync/spin_lock.hpp"
SpinLock lock(LockRank::log);
int guarded GUARDED_BY(lock);
int read_without_lock() { return guarded; }
EOF
cd "$build" || exit 1
python3 -c '
import json, re, sys
entry = json.load(open("lint/compile_commands.json"))[0]
print(re.sub(" -o [^ ]+ ", " ", entry["command"]).replace(entry["file"], sys.argv[1]))
' "$work/unlocked.cpp" >"$work/command"
shown='clang on a source that reads a field without its lock'
bash -c "$(cat "$work/command") -fsyntax-only -Wthread-safety -Werror" >"$out" 2>&1
output_has 'requires holding'
finish

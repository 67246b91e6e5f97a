#!/usr/bin/env bash
# The machine in a page: under Node, and in headless Chromium. Left out, and said so, where Node.js,
# its packages or the browser are not there (`scripts/setup web`).
# timeout: 600
cd "$(dirname "$0")/../.." || exit 1
build=${ORRERY_BUILD:-build}
for tool in node npm; do
    command -v $tool >/dev/null || { echo "left out: no $tool"; exit 77; }
done
./scripts/web --build || exit 1

# What lab programs say under QEMU, and a trace with its report, for comparison.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
script=$(grep -v '^#' web/test/labs.txt | while read -r how command; do echo "echo '=== $how $command'; $command 2>&1;"; done)
./scripts/run --icount --timeout 300 --exec "$script" </dev/null >"$work/labs" || exit 1
./scripts/run --smp 2 --trace "$work/run.json" --timeout 60 --exec \
    'lab-sync naive 20; sort /bin/busybox | wc -c; lab-paging --policy lru --frames 3 1 2 3 4 1' </dev/null >/dev/null || exit 1
python3 -B -c 'import json, sys
sys.path.insert(0, "scripts")
from trace_file import load
from trace_report import report_data
json.dump(report_data(load(sys.argv[1])), sys.stdout)' "$work/run.json" >"$work/report.json" || exit 1
export ORRERY_WEB=$PWD/$build/web ORRERY_QEMU=$work/labs ORRERY_TRACE=$work/run.json ORRERY_REPORT=$work/report.json
cd web || exit 1
node --test --test-concurrency=1 test/node.test.mjs || exit 1
CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo 'the page itself is left out: no Chromium'
    exit 0
}
export CHROMIUM
node --test --test-concurrency=1 test/page.test.mjs

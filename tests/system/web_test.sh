#!/usr/bin/env bash
# The machine in a page: under Node, and in headless Chromium. Left out, and said so, where Node.js,
# its packages or the browser are not there (`scripts/setup web`). timeout: 600
cd "$(dirname "$0")/../.." || exit 1
build=${ORRERY_BUILD:-build}
for tool in node npm; do
    command -v $tool >/dev/null || { echo "left out: no $tool"; exit 77; }
done
./scripts/web --build || exit 1

# What lab programs say under QEMU, for comparison.
commands=('lab-fs free --policy bitmap --blocks 64 a=3 b=4 -a' 'lab-disk elevators --computed 55 58 39 18 90')
expected=$(for command in "${commands[@]}"; do
    ./scripts/run --exec "$command" </dev/null | python3 -c \
        'import json,sys; print(json.dumps(sys.argv[1]) + ":" + json.dumps(sys.stdin.read()), end=",")' "$command"
done)
export ORRERY_WEB=$PWD/$build/web ORRERY_QEMU="{${expected%,}}"
cd web || exit 1
node --test --test-concurrency=1 test/node.test.mjs || exit 1
CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo 'the page itself is left out: no Chromium'
    exit 0
}
export CHROMIUM
node --test --test-concurrency=1 test/page.test.mjs

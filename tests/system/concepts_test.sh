#!/usr/bin/env bash
# The pages of the course's concepts are made from the rows, and every row's command prints what it
# should, with a seed that differs from the pages'.
# timeout: 900
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
./scripts/concepts --pages --check && ./scripts/concepts --seed "${1:-11}"

# Lab 11 as CI checks it: stubs, solution, one round of mistakes (scripts/labkit/check.py).
# timeout: 600
# holds: the tree in which labs are checked
cd "$(dirname "$0")/../.." && exec ./scripts/lab check 11 --fast

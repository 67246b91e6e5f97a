# All labs as CI checks them: solutions, stubs, one round of mistakes of each (scripts/labkit/check.py).
# timeout: 1500
cd "$(dirname "$0")/../.." && exec ./scripts/lab check --fast

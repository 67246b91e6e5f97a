// bench-calls [--json] [--rounds N] [--warm] [ROW...]: a hundred more rows of the benchmark: calls that bench leaves
// out. See user/bench/main.c.
#include "user/bench-calls/calls.h"
#include "user/bench/driver.h"
#include "user/bench/raw.h"

const char* bench_program = "/bin/bench-calls";

static const struct Row* row_at(unsigned i) {
    if (i < kCallRowCount) return &kCallRows[i].row;
    i -= kCallRowCount;
    return i < kOtherRowCount ? &kOtherRows[i] : NULL;
}
static void between_rows(void) { close_pipes(); }
static int64_t cost_of_row(const struct Row* row) {
    if (row->measure) return row->measure(row->count);
    return measure_calls(((const struct CallRow*)row)->calls, row->count);
}

int main(int argc, char* argv[]) {
    if (argc == 2 && strcmp(argv[1], "--exit") == 0) call(kExit, 0, 0, 0);
    if (strchr(argv[0], '/')) bench_program = argv[0];
    return run_rows("bench-calls", argc, argv);
}

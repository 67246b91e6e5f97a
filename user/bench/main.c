// bench [--json] [--rounds N] [--warm] [--dir FOLDER] [ROW...]: what the kernel's operations cost, in ticks
// of the time-stamp counter for each. Under QEMU's `-icount shift=0` a tick is one instruction, and
// the figures can be repeated. The least of some rounds counts, so that the first use of a page or
// of a cache, and a clock interrupt on the way, do not.
#include "user/bench/driver.h"
#include "user/bench/raw.h"

const char* bench_program = "/bin/bench";

static const struct Row* row_at(unsigned i) { return i < kRowCount ? &kRows[i] : NULL; }
static void between_rows(void) { give_back_memory(); }
static int64_t cost_of_row(const struct Row* row) { return row->measure(row->count); }

int main(int argc, char* argv[]) {
    if (argc == 2 && strcmp(argv[1], "--exit") == 0) call(kExit, 0, 0, 0);
    if (strchr(argv[0], '/')) bench_program = argv[0];
    if (argc == 3 && strcmp(argv[1], "--again") == 0) {
        exec_again(argv[2]);
        call(kExit, 0, 0, 0);
    }
    return run_rows("bench", argc, argv);
}

# Programs that the image does not know, brought along by --add: C with threads, C++, plain assembly;
# one that makes calls that do not exist; files and folders with their modes.
. "$(dirname "$0")/harness.sh"
exec </dev/null

compile() { # compile COMPILER NAME SUFFIX [FLAGS]: the source is standard input
    local compiler=$1 name=$2 suffix=$3
    shift 3
    cat >"$work/$name.$suffix"
    i686-linux-gnu-$compiler -static -O1 -o "$work/$name" "$work/$name.$suffix" "$@" \
        >"$work/compiler" 2>&1 || fail "cannot compile $name: $(cat "$work/compiler")"
}

compile gcc threads c -pthread <<'E2'
#include <pthread.h>
#include <stdio.h>
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;
static __thread int own;
static int sum;
static void *work(void *number)
{
    pthread_barrier_wait(&barrier);
    for (own = 0; own < 1000; own++) {
        pthread_mutex_lock(&mutex);
        sum++;
        pthread_mutex_unlock(&mutex);
    }
    return number;
}
int main(void)
{
    pthread_t threads[8];
    pthread_barrier_init(&barrier, NULL, 8);
    for (long i = 0; i < 8; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i)) return 1;
    for (long i = 0; i < 8; i++) {
        void *result;
        pthread_join(threads[i], &result);
        if (result != (void *)i) return 2;
    }
    printf("%d %d %.3f\n", sum, own, 22 / 7.0);
    return 0;
}
E2
compile g++ words cpp -std=c++20 <<'E2'
#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
int main(int argc, char* argv[])
try {
    std::ifstream file(argc > 1 ? argv[1] : "");
    if (!file) throw std::runtime_error("no such file");
    std::map<std::string, int> counts;
    for (std::string word; file >> word;) ++counts[word];
    for (const auto& [word, count] : counts) std::cout << word << ' ' << count << '\n';
} catch (const std::exception& error) {
    std::cerr << "words: " << error.what() << '\n';
    return 3;
}
E2
compile gcc raw S -nostdlib <<'E2'
    .globl _start
_start:
    movl $4, %eax
    movl $1, %ebx
    movl $text, %ecx
    movl $4, %edx
    int $0x80
    movl %eax, %ebx
    movl $1, %eax
    int $0x80
    .section .rodata
text: .ascii "raw\n"
    .section .note.GNU-stack, "", @progbits
E2
compile gcc missing c <<'E2'
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(void)
{
    static const long numbers[] = {354, 354, 386, 450, 999, 100000, -1, -2147483647};
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        long result = syscall(numbers[i], 0, 0, 0);
        printf("%ld: %s\n", numbers[i], result < 0 ? strerror(errno) : "done");
    }
    return 0;
}
E2
mkdir -p "$work/folder/sub"
printf 'to be or not to be\n' >"$work/folder/sub/text"
chmod 640 "$work/folder/sub/text"
chmod 710 "$work/folder/sub"
ln -s sub/text "$work/folder/link"
printf '#!/bin/sh\necho "script $*"\n' >"$work/script"
chmod 4755 "$work/script"

guest --add "$work/threads:/bin/threads" --add "$work/words:/root/words" --add "$work/raw:/raw" \
    --add "$work/missing:/bin/" --add "$work/folder:/srv/f" --add "$work/script:/bin/script" \
    --exec 'threads; ./words /srv/f/link; ./words none; echo $?; /raw; echo $?; missing; script a b
            cd /srv/f; stat -c "%a %u %s %N" sub sub/text link /bin/script /raw'
status_is 0
output_is "8000 0 3.143
be 2
not 1
or 1
to 2
3
raw
4
$(for n in 354 354 386 450 999 100000 -1 -2147483647; do echo "$n: Function not implemented"; done)
script a b
710 0 4096 sub
640 0 19 sub/text
777 0 8 'link' -> 'sub/text'
4755 0 $(stat -c %s "$work/script") /bin/script
755 0 $(stat -c %s "$work/raw") /raw"
check 'the error message' [ "$(cat "$err")" = 'words: no such file' ]
log_has 'missing\[[0-9]+\]: system call 354 \(seccomp\) is not implemented'
log_has 'missing\[[0-9]+\]: system call 999 .*is not implemented'
check 'one line a number' [ "$(grep -c 'system call 354' "$log")" = 1 ]
check 'rseq fails in silence' [ "$(grep -c 'system call 386' "$log")" = 0 ]
finish

// The least C program: it says hello, and shows what it was started with.
#include <stdio.h>
#include <unistd.h>

int main(int argc, char* argv[]) {
    printf("Hello from process %d, child of %d.\n", (int)getpid(), (int)getppid());
    for (int i = 0; i < argc; i++) printf("argument %d: %s\n", i, argv[i]);
    return 0;
}

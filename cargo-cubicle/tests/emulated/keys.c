// Closes a page with a protection key, writes to it, and prints what the handler
// is told: the code (4 is SEGV_PKUERR) and the key of the page.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void handler(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    // Not async-signal-safe in general; here nothing else is using stdio.
    printf("code %d key %d\n", info->si_code, (int)info->si_pkey);
    fflush(stdout);
    _exit(0);
}

int main(void)
{
    char *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int first = pkey_alloc(0, 0);
    int second = pkey_alloc(0, 0);
    if (page == MAP_FAILED || first < 0 || second < 0) {
        perror("keys");
        return 1;
    }
    printf("keys %d %d\n", first, second);
    if (pkey_mprotect(page, 4096, PROT_READ | PROT_WRITE, second) != 0) {
        perror("pkey_mprotect");
        return 1;
    }
    page[0] = 1;
    pkey_set(second, PKEY_DISABLE_WRITE);
    printf("reads %d\n", page[0]);
    fflush(stdout);
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &action, 0);
    page[0] = 2;
    return 2;
}

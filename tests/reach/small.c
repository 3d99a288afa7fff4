/* A whole image without libc, small enough to damage many times over. */
static volatile int input;
static __attribute__((noinline)) int choose(int a, int *p) {
    switch (a) {
    case 0: return p[3] * 7;
    case 1: *p = 4; return 9;
    case 2: return *p + 5;
    case 3: p[1] ^= p[2]; return 1;
    case 4: return p[8] - 3;
    case 5: p[4]++; return p[5];
    case 6: return p[6] << 3;
    default: return 0;
    }
}
int memory[16];
void _start(void) {
    int status = choose(input, memory);
    __asm__ volatile("syscall" : : "a"(60), "D"(status));
    __builtin_unreachable();
}

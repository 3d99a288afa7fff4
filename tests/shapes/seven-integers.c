// Shape: rdi, rsi, rdx, rcx, r8, r9, stack 0+1, stack 1+1, stack 2+1 -> rax
#include "shapes.h"
FUNCTION(short, (signed char a, short b, int c, long d, void *e, unsigned g, char h, short i, long long j))
CALLER {
    ARGUMENT(signed char, a); ARGUMENT(short, b); ARGUMENT(int, c); ARGUMENT(long, d);
    ARGUMENT(void *, e); ARGUMENT(unsigned, g); ARGUMENT(char, h); ARGUMENT(short, i);
    ARGUMENT(long long, j);
    RESULT(short, f(a, b, c, d, e, g, h, i, j));
    return 0;
}

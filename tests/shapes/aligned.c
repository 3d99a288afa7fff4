// Shape: rdi, rsi, rdx, rcx, r8, r9, stack 0+1, stack 2+4, stack 6+1 -> none
#include "shapes.h"
struct aligned { char c[17]; } __attribute__((aligned(16)));
PROCEDURE((long a, long b, long c, long d, long e, long g, long h, struct aligned p, long i))
CALLER {
    ARGUMENT(long, a); ARGUMENT(long, b); ARGUMENT(long, c); ARGUMENT(long, d);
    ARGUMENT(long, e); ARGUMENT(long, g); ARGUMENT(long, h); ARGUMENT(struct aligned, p); ARGUMENT(long, i);
    CALL(f(a, b, c, d, e, g, h, p, i));
    return 0;
}

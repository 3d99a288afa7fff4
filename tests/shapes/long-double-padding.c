// Shape: rdi, rsi, rdx, rcx, r8, r9, stack 0+1, stack 2+2, stack 4+1, stack 6+2 -> none
#include "shapes.h"
PROCEDURE((long a, long b, long c, long d, long e, long g, long h, long double i, long j, long double k))
CALLER {
    ARGUMENT(long, a); ARGUMENT(long, b); ARGUMENT(long, c); ARGUMENT(long, d);
    ARGUMENT(long, e); ARGUMENT(long, g); ARGUMENT(long, h); ARGUMENT(long double, i);
    ARGUMENT(long, j); ARGUMENT(long double, k);
    CALL(f(a, b, c, d, e, g, h, i, j, k));
    return 0;
}

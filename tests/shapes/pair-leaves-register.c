// Shape: rdi, rsi, rdx, rcx, r8, stack 0+2, r9, stack 2+1 -> none
#include "shapes.h"
struct pair { long a, b; };
PROCEDURE((long a, long b, long c, long d, long e, struct pair p, long g, long h))
CALLER {
    ARGUMENT(long, a); ARGUMENT(long, b); ARGUMENT(long, c); ARGUMENT(long, d);
    ARGUMENT(long, e); ARGUMENT(struct pair, p); ARGUMENT(long, g); ARGUMENT(long, h);
    CALL(f(a, b, c, d, e, p, g, h));
    return 0;
}

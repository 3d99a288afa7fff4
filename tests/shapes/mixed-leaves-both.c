// Shape: rdi, rsi, rdx, rcx, r8, r9, stack 0+2, xmm0 -> none
#include "shapes.h"
struct mixed { int a; double b; };
PROCEDURE((long a, long b, long c, long d, long e, long g, struct mixed p, double x))
CALLER {
    ARGUMENT(long, a); ARGUMENT(long, b); ARGUMENT(long, c); ARGUMENT(long, d);
    ARGUMENT(long, e); ARGUMENT(long, g); ARGUMENT(struct mixed, p); ARGUMENT(double, x);
    CALL(f(a, b, c, d, e, g, p, x));
    return 0;
}

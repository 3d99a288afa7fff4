// Shape: rdi:xmm0, xmm1, rsi:xmm2 -> rax:xmm0
#include "shapes.h"
struct mixed { int a; double b; };
FUNCTION(struct mixed, (struct mixed p, double x, struct mixed q))
CALLER {
    ARGUMENT(struct mixed, p); ARGUMENT(double, x); ARGUMENT(struct mixed, q);
    RESULT(struct mixed, f(p, x, q));
    return 0;
}

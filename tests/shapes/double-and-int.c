// Shape: xmm0:rdi, rsi, xmm1:rdx -> xmm0:rax
#include "shapes.h"
struct mixed { double a; int b; };
FUNCTION(struct mixed, (struct mixed p, long x, struct mixed q))
CALLER {
    ARGUMENT(struct mixed, p); ARGUMENT(long, x); ARGUMENT(struct mixed, q);
    RESULT(struct mixed, f(p, x, q));
    return 0;
}

// Shape: rdi, rsi:xmm0, rdx:rcx -> rax:rdx
#include "shapes.h"
struct flags { unsigned a : 3, b : 7, c : 20; };
struct half { unsigned a : 3; double d; };
struct both { long a : 40; long : 24; long b : 33; };
FUNCTION(struct both, (struct flags p, struct half q, struct both r))
CALLER {
    ARGUMENT(struct flags, p); ARGUMENT(struct half, q); ARGUMENT(struct both, r);
    RESULT(struct both, f(p, q, r));
    return 0;
}

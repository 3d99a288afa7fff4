// Shape: rdi, xmm0, rsi:xmm1 -> rax
#include "shapes.h"
union number { int i; float f; double d; };
union floats { float f; double d; };
struct tagged { union number n; double d; };
FUNCTION(union number, (union number n, union floats f, struct tagged t))
CALLER {
    ARGUMENT(union number, n); ARGUMENT(union floats, x); ARGUMENT(struct tagged, t);
    RESULT(union number, f(n, x, t));
    return 0;
}

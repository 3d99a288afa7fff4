// Shape: xmm0, rdi, xmm1 -> xmm0
#include "shapes.h"
FUNCTION(__float128, (__float128 a, int b, __float128 c))
CALLER {
    ARGUMENT(__float128, a); ARGUMENT(int, b); ARGUMENT(__float128, c);
    RESULT(__float128, f(a, b, c));
    return 0;
}

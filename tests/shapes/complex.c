// Shape: xmm0, xmm1:xmm2 -> xmm0:xmm1
#include "shapes.h"
FUNCTION(_Complex double, (_Complex float a, _Complex double b))
CALLER {
    ARGUMENT(_Complex float, a); ARGUMENT(_Complex double, b);
    RESULT(_Complex double, f(a, b));
    return 0;
}

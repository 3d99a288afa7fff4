// Shape: xmm0, xmm1, xmm2, rdi -> xmm0
#include "shapes.h"
typedef float quad __attribute__((vector_size(16)));
struct wrapped { quad v; };
FUNCTION(quad, (quad a, struct wrapped b, double c, int d))
CALLER {
    ARGUMENT(quad, a); ARGUMENT(struct wrapped, b); ARGUMENT(double, c); ARGUMENT(int, d);
    RESULT(quad, f(a, b, c, d));
    return 0;
}

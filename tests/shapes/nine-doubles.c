// Shape: xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, stack 0+1, stack 1+1, rdi -> xmm0
#include "shapes.h"
FUNCTION(float, (double a, float b, double c, double d, double e, double g, double h, double i, double j, float k, int l))
CALLER {
    ARGUMENT(double, a); ARGUMENT(float, b); ARGUMENT(double, c); ARGUMENT(double, d);
    ARGUMENT(double, e); ARGUMENT(double, g); ARGUMENT(double, h); ARGUMENT(double, i);
    ARGUMENT(double, j); ARGUMENT(float, k); ARGUMENT(int, l);
    RESULT(float, f(a, b, c, d, e, g, h, i, j, k, l));
    return 0;
}

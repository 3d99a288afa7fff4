// Shape: rdi, stack 0+2, xmm0 -> none
#include "shapes.h"
PROCEDURE((int a, long double b, double c))
CALLER {
    ARGUMENT(int, a); ARGUMENT(long double, b); ARGUMENT(double, c);
    CALL(f(a, b, c));
    return 0;
}

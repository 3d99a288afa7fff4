// Declaration: int f(const char *format, int first, ..., int, double, long double, const char *)
// Shape: rdi, rsi, rdx, xmm0, stack 0+2, rcx, al -> rax
#include "shapes.h"
FUNCTION(int, (const char *format, int first, ...))
CALLER {
    ARGUMENT(const char *, a); ARGUMENT(int, b); ARGUMENT(int, c); ARGUMENT(double, d);
    ARGUMENT(long double, e); ARGUMENT(const char *, g);
    RESULT(int, f(a, b, c, d, e, g));
    return 0;
}

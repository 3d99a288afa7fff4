// Shape: rdi, xmm0, rsi, xmm1, rdx:xmm2, rcx, r8, r9, stack 0+1, xmm3, stack 1+1, stack 2+3, stack 6+2, xmm4 -> rax
#include "shapes.h"
struct mixed { int a; double b; };
struct single { long a; };
struct pair { char c[8]; };
struct large { char c[20]; };
enum colour { RED, GREEN = 70000 };
FUNCTION(enum colour,
         (char a, float b, int *c, double d, struct mixed e, struct single g, long h,
          double _Complex *unused, enum colour i, double j, struct pair k, struct large l, __int128 m,
          float n))
CALLER {
    ARGUMENT(char, a); ARGUMENT(float, b); ARGUMENT(int *, c); ARGUMENT(double, d);
    ARGUMENT(struct mixed, e); ARGUMENT(struct single, g); ARGUMENT(long, h);
    ARGUMENT(double _Complex *, u); ARGUMENT(enum colour, i); ARGUMENT(double, j);
    ARGUMENT(struct pair, k); ARGUMENT(struct large, l); ARGUMENT(__int128, m); ARGUMENT(float, n);
    RESULT(enum colour, f(a, b, c, d, e, g, h, u, i, j, k, l, m, n));
    return 0;
}

// Shape: rdi, rsi, xmm0 -> rax
#include "shapes.h"
#ifdef DEFINITION
int f(a, b, c) char a; long b; double c; { return a + (int)b + (int)c; }
#else
extern int f();
#endif
CALLER { ARGUMENT(char, a); ARGUMENT(long, b); ARGUMENT(double, c); RESULT(int, f(a, b, c)); return 0; }

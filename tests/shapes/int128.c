// Shape: rdi, rsi:rdx, rcx:r8, stack 0+2, r9, stack 2+1 -> rax:rdx
#include "shapes.h"
FUNCTION(__int128, (int a, __int128 b, unsigned __int128 c, __int128 d, int e, int g))
CALLER {
    ARGUMENT(int, a); ARGUMENT(__int128, b); ARGUMENT(unsigned __int128, c);
    ARGUMENT(__int128, d); ARGUMENT(int, e); ARGUMENT(int, g);
    RESULT(__int128, f(a, b, c, d, e, g));
    return 0;
}

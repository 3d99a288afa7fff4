// Shape: rsi, stack 0+2, stack 2+4 -> memory 32
#include "shapes.h"
struct alone { long double x; };
struct beside { int a; long double x; };
FUNCTION(struct beside, (int a, struct alone p, struct beside q))
CALLER {
    ARGUMENT(int, a); ARGUMENT(struct alone, p); ARGUMENT(struct beside, q);
    RESULT(struct beside, f(a, p, q));
    return 0;
}

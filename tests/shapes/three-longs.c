// Shape: rsi, stack 0+3, rdx -> memory 24
#include "shapes.h"
struct large { long a[3]; };
FUNCTION(struct large, (int x, struct large p, int y))
CALLER {
    ARGUMENT(int, x); ARGUMENT(struct large, p); ARGUMENT(int, y);
    RESULT(struct large, f(x, p, y));
    return 0;
}

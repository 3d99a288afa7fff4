// Shape: nothing, xmm0, rdi -> xmm0
#include "shapes.h"
struct Empty {};
struct Hollow { Empty e; double d; };
FUNCTION(Hollow, (Empty e, Hollow h, int x))
CALLER {
    ARGUMENT(Empty, e); ARGUMENT(Hollow, h); ARGUMENT(int, x);
    RESULT(Hollow, f(e, h, x));
    return 0;
}

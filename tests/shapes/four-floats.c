// Shape: xmm0:xmm1 -> xmm0:xmm1
#include "shapes.h"
struct colour { float part[4]; };
FUNCTION(struct colour, (struct colour c))
CALLER { ARGUMENT(struct colour, c); RESULT(struct colour, f(c)); return 0; }

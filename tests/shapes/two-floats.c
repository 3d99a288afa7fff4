// Shape: xmm0, xmm1 -> xmm0
#include "shapes.h"
struct point { float x, y; };
FUNCTION(struct point, (struct point p, float z))
CALLER { ARGUMENT(struct point, p); ARGUMENT(float, z); RESULT(struct point, f(p, z)); return 0; }

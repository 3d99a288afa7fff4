// Shape: rdi:xmm0 -> rax:xmm0
#include "shapes.h"
struct mixed { float a; int b; float c; };
FUNCTION(struct mixed, (struct mixed p))
CALLER { ARGUMENT(struct mixed, p); RESULT(struct mixed, f(p)); return 0; }

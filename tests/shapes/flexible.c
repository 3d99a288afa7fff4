// Shape: rdi -> rax
#include "shapes.h"
struct tail { int length; int rest[]; };
FUNCTION(struct tail, (struct tail p))
CALLER { ARGUMENT(struct tail, p); RESULT(struct tail, f(p)); return 0; }

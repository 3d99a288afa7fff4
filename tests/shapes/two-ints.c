// Shape: rdi -> rax
#include "shapes.h"
struct pair { int a, b; };
FUNCTION(struct pair, (struct pair p))
CALLER { ARGUMENT(struct pair, p); RESULT(struct pair, f(p)); return 0; }

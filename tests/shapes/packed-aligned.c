// Shape: xmm0:rdi -> xmm0:rax
#include "shapes.h"
struct __attribute__((packed)) aligned { double a; int b; char c; };
FUNCTION(struct aligned, (struct aligned p))
CALLER { ARGUMENT(struct aligned, p); RESULT(struct aligned, f(p)); return 0; }

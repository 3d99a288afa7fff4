// Shape: rdi:rsi -> rax:rdx
#include "shapes.h"
struct text { char c[16]; };
FUNCTION(struct text, (struct text p))
CALLER { ARGUMENT(struct text, p); RESULT(struct text, f(p)); return 0; }

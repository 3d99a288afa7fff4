// Shape: rdi:rsi -> rax:rdx
#include "shapes.h"
struct __attribute__((packed)) bits { unsigned long a : 60, b : 30; char c; };
FUNCTION(struct bits, (struct bits p))
CALLER { ARGUMENT(struct bits, p); RESULT(struct bits, f(p)); return 0; }

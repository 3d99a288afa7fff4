// Shape: rsi, stack 0+2 -> memory 9
#include "shapes.h"
struct __attribute__((packed)) unaligned { char a; double b; };
FUNCTION(struct unaligned, (int x, struct unaligned p))
CALLER { ARGUMENT(int, x); ARGUMENT(struct unaligned, p); RESULT(struct unaligned, f(x, p)); return 0; }

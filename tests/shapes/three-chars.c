// Shape: rdi, rsi:rdx -> rax
#include "shapes.h"
struct small { char c[3]; };
struct eleven { char c[11]; };
FUNCTION(struct small, (struct small p, struct eleven q))
CALLER { ARGUMENT(struct small, p); ARGUMENT(struct eleven, q); RESULT(struct small, f(p, q)); return 0; }

// Shape: rdi:xmm0, rsi:rdx -> rax:xmm0
#include "shapes.h"
struct inner { short a; char b; };
struct outer { struct inner in; float f; struct { double d; } deep; };
typedef struct { struct { int a[2]; } x; struct { struct { char c[5]; } y; } z; } all_integer;
FUNCTION(struct outer, (struct outer p, all_integer q))
CALLER { ARGUMENT(struct outer, p); ARGUMENT(all_integer, q); RESULT(struct outer, f(p, q)); return 0; }

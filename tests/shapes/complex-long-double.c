// Shape: rdi, stack 0+4 -> none
#include "shapes.h"
PROCEDURE((int a, _Complex long double b))
CALLER { ARGUMENT(int, a); ARGUMENT(_Complex long double, b); CALL(f(a, b)); return 0; }

// Shape: stack 0+2 -> memory 16
#include "shapes.h"
union either { long double x; int i; };
FUNCTION(union either, (union either p))
CALLER { ARGUMENT(union either, p); RESULT(union either, f(p)); return 0; }

// Shape: xmm0:xmm1 -> xmm0:xmm1
#include "shapes.h"
typedef float quad __attribute__((vector_size(16)));
union view { quad v; double d[2]; };
FUNCTION(union view, (union view a))
CALLER { ARGUMENT(union view, a); RESULT(union view, f(a)); return 0; }

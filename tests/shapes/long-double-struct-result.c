// Error: CUB007
#include "shapes.h"
struct alone { long double x; };
FUNCTION(struct alone, (int a))

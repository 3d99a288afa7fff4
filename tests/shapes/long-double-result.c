// Error: CUB007
#include "shapes.h"
FUNCTION(long double, (int a))

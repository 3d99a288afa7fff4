// Error: CUB007
#include "shapes.h"
FUNCTION(_Complex long double, (int a))

// Error: CUB007
#include "shapes.h"
FUNCTION(int, (const char *format, ...))

// Error: CUB007
#include "shapes.h"
struct aligned { char c[32]; } __attribute__((aligned(32)));
PROCEDURE((struct aligned p))

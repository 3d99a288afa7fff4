// Error: CUB007
#include "shapes.h"
typedef double wide __attribute__((vector_size(32)));
PROCEDURE((wide *pointer, wide value))

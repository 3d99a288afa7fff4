#define NAME part2
#define SECRET 104
#include "part.h"

#define NAME part7
#define SECRET 149
#include "part.h"

#define NAME part11
#define SECRET 221
#include "part.h"

#define NAME part5
#define SECRET 125
#include "part.h"

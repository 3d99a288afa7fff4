#define NAME part6
#define SECRET 136
#include "part.h"

#define NAME part0
#define SECRET 100
#include "part.h"

#define NAME part10
#define SECRET 200
#include "part.h"

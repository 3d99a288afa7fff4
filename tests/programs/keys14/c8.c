#define NAME part8
#define SECRET 164
#include "part.h"

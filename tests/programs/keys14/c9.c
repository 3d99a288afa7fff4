#define NAME part9
#define SECRET 181
#include "part.h"

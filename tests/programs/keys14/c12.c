#define NAME part12
#define SECRET 244
#include "part.h"

#define NAME part1
#define SECRET 101
#include "part.h"

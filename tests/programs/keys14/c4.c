#define NAME part4
#define SECRET 116
#include "part.h"

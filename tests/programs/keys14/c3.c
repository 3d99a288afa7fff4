#define NAME part3
#define SECRET 109
#include "part.h"

#define NAME c_link
#define NEXT d_link
#include "link.h"

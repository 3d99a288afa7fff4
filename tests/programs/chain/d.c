#define NAME d_link
#define NEXT e_link
#include "link.h"

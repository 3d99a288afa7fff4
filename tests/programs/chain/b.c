#define NAME b_link
#define NEXT c_link
#include "link.h"

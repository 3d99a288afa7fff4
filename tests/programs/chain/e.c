#define NAME e_link
#include "link.h"

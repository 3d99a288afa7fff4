#include <errno.h>
#include <string.h>
#include "all.h"
int again_number(int n) { return n; }
int again_text(const char *text) { errno = 5; return strlen(text); }

#include "guest.h"

int third_get(const char *at) { return *(const volatile char *)at; }
void third_put(char *at, int value) { *(volatile char *)at = (char)value; }

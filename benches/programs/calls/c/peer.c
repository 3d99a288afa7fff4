/* Sees nobody and is seen by nobody. */

#include "define.h"

DEFINE_PAIR(fast, 1)
DEFINE_PAIR(checked, 2)

long lending_bare(const char *text, long length)
{
	return text[0] + text[length - 1];
}

long lending_thread(const char *text, long length)
{
	return text[0] + text[length - 1] + ++calls;
}

#include <string.h>
#include "lib.h"

/* What is lent is all 'd': anything else is the callee's own memory. */
static int is_lent(const unsigned char *data, unsigned long size)
{
	for (unsigned long i = 0; i < size; i++)
		if (data[i] != 'd')
			return 0;
	return 1;
}

unsigned long lib_length(const char *text) { return strlen(text); }

unsigned long lib_length_or(const char *text, long size)
{
	return size < 0 ? strlen(text) : (unsigned long)size;
}

int lib_request(const struct request *request)
{
	unsigned long length = strlen(request->name);
	return is_lent(request->data, request->size) && (length == 15 || length == 127);
}

int lib_counted(const unsigned char *data, const unsigned long *size)
{
	return is_lent(data, *size);
}

int lib_eight(long a, long b, long c, long d, long e, long f, const unsigned char *data, unsigned long size)
{
	return a + b + c + d + e + f == 21 && is_lent(data, size);
}

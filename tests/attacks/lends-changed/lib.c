#include <string.h>
#include "check.h"
#include "lib.h"

int lib_process(struct request *request, hook hook)
{
	char *data = request->data;
	CHECK(request->size == 64 && data[0] == 'o' && data[63] == 'o');
	hook();
	CHECK(request->size == 64 && request->data == data && data[0] == 'o');
	memset(request->data, 'x', request->size);
	return 64;
}

int lib_fill(char *destination, unsigned long *length, hook hook)
{
	CHECK(*length == 16);
	hook();
	CHECK(*length == 16);
	memset(destination, 'f', *length);
	*length = 8;
	return 8;
}

int lib_read(const char *text, hook hook)
{
	size_t before = strlen(text);
	hook();
	CHECK(strlen(text) == before && text[0] == 'l');
	return (int)before;
}

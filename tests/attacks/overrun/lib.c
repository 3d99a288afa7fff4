#include <string.h>

int app_again(int bytes);

int lib_down(int bytes, int (*again)(int))
{
	char locals[bytes];
	memset(locals, 1, bytes);
	return again(bytes) + locals[bytes - 1];
}

int lib_down_again(int bytes)
{
	char locals[bytes];
	memset(locals, 1, bytes);
	return app_again(bytes) + locals[bytes - 1];
}

#include <time.h>
#include <unistd.h>
#include <wchar.h>

int report(int descriptor)
{
	return write(descriptor, "3 lines\n", 8) != 8;
}

int when(const struct tm *time, mbstate_t *state)
{
	return time->tm_mday - mbsinit(state);
}

#include <errno.h>
#include <fcntl.h>

int app_set(int);

int lib_open(void) { return open("/etc/passwd", O_RDONLY); }
int lib_open_silently(void) { return lib_open(); }

int lib_set(int value)
{
	errno = value;
	return 0;
}

int lib_get(void) { return errno; }

int lib_calls_app(int value)
{
	errno = 1;
	app_set(value);
	return errno;
}

#include <unistd.h>

int process(void)
{
	return getpid();
}

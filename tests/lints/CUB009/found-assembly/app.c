#include <unistd.h>

int process(void);

int main(void)
{
	return process() != getpid();
}

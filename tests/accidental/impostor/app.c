#include <stdio.h>
unsigned mix(unsigned, unsigned); unsigned other(void);
int main(void)
{
	printf("%u %u\n", mix(0, 42), other());
	return 0;
}

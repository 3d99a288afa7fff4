#include <stdio.h>
unsigned mix(unsigned, unsigned);
int main(void)
{
	printf("%u\n", mix(3, 40));
	return 0;
}

#include <stdio.h>
unsigned choose(unsigned, unsigned);
int main(void)
{
	printf("%u\n", choose(0, 6));
	return 0;
}

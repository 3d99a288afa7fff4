#include <stdio.h>
unsigned choose(unsigned, unsigned);
int main(void)
{
	printf("%u %u %u\n", choose(0, 6), choose(1, 40) >> 0, choose(2, 9));
	return 0;
}

#include <stdio.h>
unsigned turn(unsigned, unsigned, unsigned);
int main(void)
{
	printf("%u\n", turn(4, 65, 2));
	return 0;
}

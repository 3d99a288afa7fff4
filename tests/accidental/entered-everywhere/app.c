#include <stdio.h>
unsigned turn(unsigned, unsigned);
int main(void)
{
	printf("%u\n", turn(4, 65));
	return 0;
}

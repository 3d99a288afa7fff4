#include <stdio.h>
unsigned mixed(unsigned); unsigned whole(void);
int main(void)
{
	printf("%x %x\n", mixed(0x1f61e08), whole());
	return 0;
}

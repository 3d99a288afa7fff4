#include <stdio.h>
unsigned border(unsigned);
int main(void)
{
	printf("%x\n", border(0xfffe0f0f));
	return 0;
}

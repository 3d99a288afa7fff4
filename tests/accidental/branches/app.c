#include <stdio.h>
int far(int);
int main(void)
{
	printf("%d\n", far(0));
	return 0;
}

#include <stdio.h>
int align(void);
int main(void)
{
	printf("%d\n", align());
	return 0;
}

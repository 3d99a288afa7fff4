#include <stdio.h>
int look(void);
int main(void)
{
	printf("%d\n", look());
	return 0;
}

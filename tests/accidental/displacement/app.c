#include <stdio.h>
int load(void);
int main(void)
{
	printf("%d\n", load());
	return 0;
}

#include <stdio.h>
int raise_rights(void);
int main(void)
{
	printf("%d\n", raise_rights());
	return 0;
}

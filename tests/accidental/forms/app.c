#include <stdio.h>
int forms(void);
int main(void)
{
	printf(forms() == 0 ? "all right\n" : "wrong\n");
	return 0;
}

#include <stdio.h>
#include "shared.h"
int main()
{
	int own = count();
	printf("%d %d\n", own, counted() - 1);
}

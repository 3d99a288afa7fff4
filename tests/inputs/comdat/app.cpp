#include <stdio.h>
#include "shared.h"
int main()
{
	printf("%d %d\n", answer(40), next<int>(plus(40)));
}

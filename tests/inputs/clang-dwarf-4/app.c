#include <stdio.h>
#include "codec.h"
int main(void)
{
	struct codec codec = { "text", 40, 2 };
	printf("%d %.1f\n", decode(&codec), ratio(codec));
}

#include <stdlib.h>

int share(void);

int main(void)
{
	return share();
}

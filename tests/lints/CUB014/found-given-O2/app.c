#include <stdlib.h>
#include <string.h>

int take(char *text);
int take_copy(char *text);

int main(void)
{
	char *text = malloc(8);
	if (!text)
		return 1;
	memset(text, 0, 8);
	char last[8] = "";
	return take(text) + take_copy(last);
}

#include <stdio.h>

int report(FILE *out, int lines);
FILE *log_stream(void);

int main(void)
{
	return report(stdout, 3) + (log_stream() == stderr);
}

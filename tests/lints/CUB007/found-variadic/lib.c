#include <stdarg.h>

int largest(int number, ...)
{
	int largest = 0;
	va_list values;
	va_start(values, number);
	while (number-- > 0) {
		int value = va_arg(values, int);
		if (value > largest)
			largest = value;
	}
	va_end(values);
	return largest;
}

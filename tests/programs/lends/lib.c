#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "lends.h"

long sum_bytes(const unsigned char *data, size_t size)
{
	if (data == NULL)
		return -1;
	long sum = 0;
	for (size_t i = 0; i < size; i++)
		sum += data[i];
	return sum;
}

long sum_longs(const long *data, int count)
{
	long sum = 0;
	for (int i = 0; i < count; i++)
		sum += data[i];
	return sum;
}

/* It is the callee's copy: writing it is no fault, and changes nothing. */
long scribble(unsigned char *data, size_t size)
{
	memset(data, 0xee, size);
	return sum_bytes(data, size);
}

void fill(char *data, size_t size)
{
	/* What the callee does not write is not what was there before. */
	for (size_t i = 0; i < size; i++)
		CHECK(data[i] == 0);
	memset(data, 'f', size);
}

void fill_some(char *data, size_t size, size_t *used)
{
	memset(data, 's', size);
	*used = size / 2;
}

int fill_capacity(char *data, unsigned *size)
{
	if (*size < 10)
		return -1;
	memcpy(data, "0123456789", 10);
	*size = 10;
	return 0;
}

void increment(int *data, int count)
{
	for (int i = 0; i < count; i++)
		data[i]++;
}

long length(const char *text) { return text == NULL ? -1 : (long)strlen(text); }

double move_point(struct point *point)
{
	point->x++;
	point->y--;
	point->weight *= 2;
	return point->weight;
}

long matrix(const short *data, long rows, int columns)
{
	long sum = 0;
	for (int i = 0; i < rows * columns; i++)
		sum += data[i];
	return sum;
}

long eight(long a, long b, long c, long d, long e, long f, const long *g, long *h)
{
	*h = *g * 2;
	return a + b + c + d + e + f + *g;
}

/* Claims to have written more than was lent. */
void grow_length(char *data, size_t size, size_t *used)
{
	memset(data, 'g', size);
	*used = (size_t)-1;
}

long pass_on(char *data, size_t size)
{
	/* The copy is the library's own memory: it lends it as any other. */
	memset(data, 'p', size / 2);
	long result = app_change(data, size);
	CHECK(data[0] == 'c' && data[size - 1] == 'c');
	data[0] = 'l';
	return result + 1;
}

long nest(char *data, size_t size, int depth)
{
	char before = data[size - 1];
	data[0]++;
	long result = depth == 0 ? 0 : app_nest(data, size, depth - 1);
	CHECK(data[size - 1] == before);
	return result + 1;
}

long touch_twice(char *data, size_t size)
{
	data[0] = 'a';
	data[size - 1] = 'A';
	long result = app_touch(data, size);
	CHECK(data[0] == 'b' && data[size - 1] == 'B');
	return result + data[0];
}

long pull_away(char *data, size_t size)
{
	data[0] = 'p';
	long result = app_pull_away(data, size);
	CHECK(data[0] == 'p');
	return result;
}

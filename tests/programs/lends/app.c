//! Arguments that are borrowed for a call, in every direction and extent.
//@ stdout: done

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "check.h"
#include "lends.h"

long app_change(char *data, size_t size)
{
	CHECK(data[0] == 'p' && data[size - 1] == 'x');
	memset(data, 'c', size);
	return (long)size;
}

long app_nest(char *data, size_t size, int depth) { return 1 + (depth == 0 ? 0 : nest(data, size, depth - 1)); }

static void in(void)
{
	unsigned char bytes[1000];
	memset(bytes, 3, sizeof bytes);
	CHECK(sum_bytes(bytes, sizeof bytes) == 3000);
	CHECK(sum_bytes(bytes, 1) == 3);
	CHECK(sum_bytes(bytes + 999, 1) == 3);
	CHECK(sum_bytes(bytes, 0) == 0);
	CHECK(sum_bytes(NULL, 0) == -1);
	CHECK(sum_bytes(NULL, 100) == -1);
	long longs[] = { 1, 10, 100 };
	CHECK(sum_longs(longs, 3) == 111 && sum_longs(longs, 1) == 1 && sum_longs(longs, 0) == 0);
	/* A negative length lends nothing. */
	CHECK(sum_longs(longs, -1) == 0);
	CHECK(scribble(bytes, sizeof bytes) == 0xee * 1000);
	CHECK(bytes[0] == 3 && bytes[999] == 3);
	CHECK(length("") == 0 && length("four") == 4 && length(NULL) == -1);
	char *text = malloc(100001);
	memset(text, 't', 100000);
	text[100000] = 0;
	CHECK(length(text) == 100000);
	free(text);
	short cells[6] = { 1, 2, 3, 4, 5, 6 };
	CHECK(matrix(cells, 2, 3) == 21);
}

static void out(void)
{
	char data[100];
	memset(data, 'x', sizeof data);
	fill(data, 50);
	CHECK(data[0] == 'f' && data[49] == 'f' && data[50] == 'x');
	fill(NULL, 0);
	fill(data, 0);
	size_t used = 0;
	memset(data, 'x', sizeof data);
	fill_some(data, 100, &used);
	CHECK(used == 50 && data[0] == 's' && data[49] == 's' && data[50] == 'x' && data[99] == 'x');
	unsigned size = 100;
	CHECK(fill_capacity(data, &size) == 0 && size == 10 && memcmp(data, "0123456789s", 10) == 0 && data[10] == 's');
	size = 5;
	CHECK(fill_capacity(data, &size) == -1 && size == 5 && data[5] == '5');
	memset(data, 'x', sizeof data);
	used = 0;
	grow_length(data, 50, &used);
	CHECK(used == (size_t)-1 && data[49] == 'g' && data[50] == 'x');
}

static void both(void)
{
	int numbers[3] = { 1, 2, 3 };
	increment(numbers, 2);
	CHECK(numbers[0] == 2 && numbers[1] == 3 && numbers[2] == 3);
	struct point point = { 1, 2, 1.5 };
	CHECK(move_point(&point) == 3 && point.x == 2 && point.y == 1 && point.weight == 3);
	long g = 7, h = 0;
	CHECK(eight(1, 2, 3, 4, 5, 6, &g, &h) == 28 && h == 14 && g == 7);
}

static void large(void)
{
	size_t size = 8 << 20;
	unsigned char *data = malloc(size);
	memset(data, 1, size);
	CHECK(sum_bytes(data, size) == 8 << 20);
	CHECK(sum_bytes(data, 1 << 20) == 1 << 20);
	memset(data, 'x', size);
	CHECK(pass_on((char *)data, size) == (8 << 20) + 1);
	CHECK(data[0] == 'l' && data[1] == 'c' && data[size - 1] == 'c');
	fill((char *)data, size - 1);
	CHECK(data[0] == 'f' && data[size - 2] == 'f' && data[size - 1] == 'c');
	free(data);
	/* About the size where a lend moves from the stack to a buffer. */
	for (size_t at = (16 << 10) - 3; at < (16 << 10) + 3; at++) {
		char *near = malloc(at + 1);
		near[at] = 'x';
		fill(near, at);
		CHECK(near[0] == 'f' && near[at - 1] == 'f' && near[at] == 'x');
		free(near);
	}
}

/* Whole pages are not copied, and nobody is to notice. */
static void pages(void)
{
	size_t size = 1 << 20;
	unsigned char *data =
		mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(data, 1, size + 4096);
	CHECK(sum_bytes(data, size) == 1 << 20);
	CHECK(sum_bytes(data + 4096, size) == 1 << 20);
	/* Not through const: the callee may scribble over what it takes for its own. */
	CHECK(scribble(data, size) == 0xeeL << 20);
	CHECK(data[0] == 1 && data[size - 1] == 1);
	increment((int *)data, (int)(size / 4));
	CHECK(data[0] == 2 && data[1] == 1 && data[size - 4] == 2 && data[size] == 1);
	/* Its owner touches it in the midst of the call, and lends it on. */
	memset(data, 'x', size);
	CHECK(pass_on((char *)data, size) == (1 << 20) + 1);
	CHECK(data[0] == 'l' && data[1] == 'c' && data[size - 1] == 'c');
	CHECK(touch_twice((char *)data, size) == 'a' + 'b');
	CHECK(data[0] == 'b' && data[size - 1] == 'B');
	/* And cannot pull it away from under the callee. */
	CHECK(pull_away((char *)data, size) == -1);
	CHECK(data[0] == 'p');
	CHECK(munmap(data, size + 4096) == 0);
}

long app_touch(char *data, size_t size)
{
	CHECK(data[0] == 'a' && data[size - 1] == 'A');
	data[0] = 'b';
	data[size - 1] = 'B';
	return 'a';
}

long app_pull_away(char *data, size_t size)
{
	int result = munmap(data, size);
	CHECK(result == -1 && errno == EBUSY);
	return result;
}

static void nested(void)
{
	char data[64] = "A";
	CHECK(nest(data, sizeof data, 40) == 41);
	CHECK(data[0] == 'A' + 21);
	char *big = calloc(1, 20000);
	CHECK(nest(big, 20000, 20) == 21);
	CHECK(big[0] == 11);
	free(big);
}

int main(void)
{
	for (int i = 0; i < 3; i++) {
		in();
		out();
		both();
		large();
		pages();
		nested();
	}
	puts("done");
}

#include <cubicle.h>
#include <stdlib.h>
#include <string.h>

void codec_fill(unsigned char *to, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (unsigned char)(i % 251);
}

unsigned long codec_sum(const unsigned char *from, size_t size)
{
	unsigned long sum = 0;
	for (size_t i = 0; i < size; i++)
		sum += from[i];
	return sum;
}

static char *table;
static int window = -1;

/* A table of the codec's own, which app may read until the next call. */
const char *codec_table(void)
{
	if (table == NULL) {
		table = aligned_alloc(4096, 4096);
		strcpy(table, "a table of the codec's");
		window = cubicle_window_init();
		if (cubicle_window_add(window, table, 4096) != 0)
			return NULL;
	}
	return cubicle_window_open_read_only(window, cubicle_find("app")) == 0 ? table : NULL;
}

/* In window `state`: initialised, and referred to from inside the library. */
struct state {
	const char *name;
	unsigned long calls;
} codec_state = { "codec", 0 };

/* A variable of the program's, in window `table`. */
extern unsigned char SHARED_TABLE[8192];

void codec_shift(unsigned char *also, size_t size)
{
	for (size_t i = 0; i < sizeof SHARED_TABLE; i++)
		SHARED_TABLE[i]++;
	for (size_t i = 0; i < size; i++)
		also[i]++;
	codec_state.calls++;
}

int codec_knows(void)
{
#ifdef PARTITIONED
	return 1;
#else
	return 0;
#endif
}

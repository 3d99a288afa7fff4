#include <stddef.h>

struct counter {
	long total;
	void *(*allocate)(int);
	struct counter *own;
	const char *name;
	short small, beside;
};

int counter_open(struct counter *counter);
int counter_add(struct counter *counter, long number);
/* Of the counter that was opened last, wherever it is. */
long counter_peek(struct counter *counter);
int counter_close(struct counter *counter);
long counter_secret(void);
/* Of any bytes. */
long sum_bytes(const unsigned char *at, size_t size);
void set_text(const char *text);
void drop_text(const char *text);
const char *current_text(void);
const char *find_text(const char *text, char letter);
const char *stored_text(void);

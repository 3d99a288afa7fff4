#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "keep.h"

static struct counter *opened;
static const char *kept;

static void *allocate(int size) { return malloc((size_t)size); }

/* As zlib: it finds no hook, puts its own there, and remembers where it is. */
int counter_open(struct counter *counter)
{
	if (counter == NULL)
		return -2;
	CHECK(counter->allocate == NULL && counter->small == 5);
	counter->allocate = allocate;
	counter->small = 6;
	counter->own = counter;
	counter->total = 0;
	opened = counter;
	return counter->name == NULL ? 0 : (int)strlen(counter->name);
}

int counter_add(struct counter *counter, long number)
{
	if (counter != opened || counter->allocate != allocate || counter->small != 6)
		return -2;
	/* What points to itself does so on either side. */
	CHECK(counter->own == counter);
	void *memory = counter->allocate(8);
	free(memory);
	counter->total += number;
	return counter->name == NULL ? 0 : counter->name[0];
}

/* Between the calls that name it, the object is still there. */
long counter_peek(struct counter *counter)
{
	CHECK(counter != opened);
	return opened->total + (opened->name == NULL ? 0 : opened->name[0]);
}

int counter_close(struct counter *counter)
{
	int result = counter_add(counter, 0);
	opened = NULL;
	return result;
}

long counter_secret(void) { return (long)&opened; }

void set_text(const char *text) { kept = text; }
void drop_text(const char *text)
{
	CHECK(text == kept);
	kept = NULL;
}
const char *current_text(void) { return kept; }
const char *find_text(const char *text, char letter)
{
	CHECK(text == kept);
	return strchr(kept, letter);
}
const char *stored_text(void) { return kept; }

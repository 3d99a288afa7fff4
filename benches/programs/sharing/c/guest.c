/* What memory is shared with. */

#include "guest.h"

static callback kept;

long guest_nothing(long value) { return value + 1; }

long guest_touch(char *memory) { return ++*memory; }

/* One byte of each end: what is measured is the lending, not the reading. */
long guest_read(const char *memory, size_t size) { return memory[0] + memory[size - 1]; }

void guest_write(char *memory, size_t size)
{
	memory[0] = 1;
	memory[size - 1] = 2;
}

long guest_remember(struct remembered *object)
{
	object->state = object;
	return object->count = 1;
}

/* The object must lie where it lay. */
long guest_count(struct remembered *object) { return object->state == object ? ++object->count : -1; }

long guest_forget(struct remembered *object) { return object->count; }

long guest_call(callback function, long value) { return function(value); }

void guest_keep(callback function) { kept = function; }

long guest_call_kept(long value) { return kept(value); }

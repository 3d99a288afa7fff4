#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>

/* An object that the guest remembers between calls, as zlib does its streams. */
struct remembered {
	long count;
	void *state;
	char text[96];
};

typedef long (*callback)(long);

long guest_nothing(long value);
long guest_touch(char *memory);
long guest_read(const char *memory, size_t size);
void guest_write(char *memory, size_t size);
long guest_remember(struct remembered *object);
long guest_count(struct remembered *object);
long guest_forget(struct remembered *object);
long guest_call(callback function, long value);
void guest_keep(callback function);
long guest_call_kept(long value);

#endif

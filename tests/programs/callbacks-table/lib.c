#include <string.h>
#include "check.h"
#include "table.h"

static struct operations registered;
static void *registered_self;

void lib_register(const struct operations *operations, void *self)
{
	registered = *operations;
	registered_self = self;
}

static long use(const struct operations *with, void *self, const char *name)
{
	char buffer[32];
	memset(buffer, '?', sizeof buffer);
	if (with->open(self, name) != 0)
		return -1;
	long sum = 0, got;
	while ((got = with->read(self, buffer, sizeof buffer)) > 0)
		for (long i = 0; i < got; i++)
			sum += buffer[i] - 'a';
	with->close(self);
	return with->optional ? with->optional((int)sum) : sum;
}

long lib_use(const char *name) { return use(&registered, registered_self, name); }
long lib_object(const struct object *object) { return use(object->operations, object->self, "object"); }

int lib_table(const struct entry *entries, int count, int n)
{
	for (int i = 0; i < count; i++)
		if (strcmp(entries[i].name, "skip") != 0)
			n = entries[i].call(n);
	return n;
}

static int own_allocate(void *self, int size) { return self == NULL ? 2 * size : -1; }
static int own_check(int total) { return total % 2 == 0; }

int lib_start(struct stream *stream)
{
	if (stream->allocate == NULL)
		stream->allocate = own_allocate;
	stream->check = own_check;
	return lib_continue(stream, 1);
}

int lib_continue(struct stream *stream, int size)
{
	if (stream->allocate == NULL || stream->check != own_check)
		return -1;
	stream->total += stream->allocate(stream->self, size);
	return stream->check(stream->total);
}

int lib_is_own(const struct stream *stream) { return stream->allocate == own_allocate; }

static int opened;

static int lib_open(void *self, const char *name)
{
	(void)self;
	opened = (int)strlen(name);
	return 0;
}

static long lib_read(void *self, char *buffer, long room)
{
	(void)self;
	CHECK(room == 8);
	memset(buffer, 'z', (size_t)opened);
	return opened;
}

static void lib_close(void *self)
{
	(void)self;
	opened = 0;
}

void lib_functions(struct operations *functions)
{
	*functions = (struct operations){ 3, lib_open, lib_read, lib_close, NULL };
}

#include <stddef.h>

/* What a file system is to the library. */
struct operations {
	int version;
	int (*open)(void *self, const char *name);
	long (*read)(void *self, char *buffer, long room);
	void (*close)(void *self);
	int (*optional)(int);
};

struct entry {
	const char *name;
	int (*call)(int);
};

/* As a library that fills in what was left out. */
struct stream {
	void *self;
	int (*allocate)(void *self, int size);
	int total;
	int (*check)(int);
};

struct object {
	const struct operations *operations;
	void *self;
};

void lib_register(const struct operations *operations, void *self);
long lib_use(const char *name);
int lib_table(const struct entry *entries, int count, int n);
int lib_start(struct stream *stream);
int lib_continue(struct stream *stream, int size);
int lib_is_own(const struct stream *stream);
void lib_functions(struct operations *functions);
long lib_object(const struct object *object);

//! Functions inside of structs: tables that a library keeps, arrays, fields that
//! either side sets, and tables that the library fills.
//@ stdout: done

#include <string.h>
#include "check.h"
#include "table.h"

struct file {
	const char *content;
	long at;
	int opened;
};

static int file_open(void *self, const char *name)
{
	struct file *file = self;
	if (strcmp(name, "absent") == 0)
		return 1;
	file->at = 0;
	file->opened++;
	return 0;
}

static long file_read(void *self, char *buffer, long room)
{
	struct file *file = self;
	long left = (long)strlen(file->content) - file->at;
	long some = left < 5 ? left : 5;
	CHECK(room == 32);
	memcpy(buffer, file->content + file->at, (size_t)some);
	file->at += some;
	return some;
}

static void file_close(void *self) { ((struct file *)self)->opened += 100; }

static int negate(int n) { return -n; }
static int increment(int n) { return n + 1; }

static int allocate(void *self, int size)
{
	++*(int *)self;
	return 10 * size;
}

int main(void)
{
	struct file file = { "abcdefghijklmnopqrstuvwxyz", 0, 0 };
	struct operations operations = { 1, file_open, file_read, file_close, NULL };
	const struct operations before = operations;
	for (int round = 0; round < 3; round++) {
		lib_register(&operations, &file);
		CHECK(memcmp(&operations, &before, sizeof before) == 0);
		/* The library has a copy, which outlives the call. */
		CHECK(lib_use("present") == 325 && file.opened == 101 + 202 * round);
		CHECK(lib_use("absent") == -1);
		struct operations negating = operations;
		negating.optional = negate;
		struct object object = { &negating, &file };
		CHECK(lib_object(&object) == -325 && file.opened == 202 + 202 * round);

		struct entry entries[3] = { { "one", increment }, { "skip", negate }, { "two", negate } };
		CHECK(lib_table(entries, 3, 41) == -42);
		CHECK(entries[2].call == negate);

		/* What the program sets stays its own. */
		int calls = 0;
		struct stream stream = { &calls, allocate, 0, NULL };
		CHECK(lib_start(&stream) == 1 && calls == 1);
		CHECK(stream.allocate == allocate && stream.self == &calls && stream.total == 10);
		CHECK(lib_continue(&stream, 2) == 1 && calls == 2 && stream.total == 30);
		CHECK(!lib_is_own(&stream));
		/* What the library sets can be called, and comes home. */
		int (*check)(int) = stream.check;
		CHECK(check != NULL && check(4) == 1 && check(5) == 0);
		struct stream other = { NULL, NULL, 0, NULL };
		CHECK(lib_start(&other) == 1 && other.total == 2);
		CHECK(other.allocate != NULL && other.allocate(NULL, 4) == 8);
		CHECK(other.check == check);
		CHECK(lib_is_own(&other));
		CHECK(lib_continue(&other, 5) == 1 && other.total == 12);

		struct operations theirs;
		memset(&theirs, 0x55, sizeof theirs);
		lib_functions(&theirs);
		char buffer[8] = "";
		CHECK(theirs.version == 3 && theirs.optional == NULL);
		CHECK(theirs.open(NULL, "three") == 0);
		CHECK(theirs.read(NULL, buffer, 8) == 5 && memcmp(buffer, "zzzzz", 6) == 0);
		theirs.close(NULL);
		CHECK(theirs.read(NULL, buffer, 8) == 0);
	}
	puts("done");
}

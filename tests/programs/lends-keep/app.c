//! Objects that stay lent: one address in the callee until the function that ends
//! it was called.
//@ run: use
//@ stdout: done
//@ run: free-peek
//@ stdout: 42
//@ run: free-add
//@ violation: kind=lend cubicle=app place=unmapped
//@ run: foreign-name
//@ violation: kind=lend cubicle=app owner=lib place=data
//@ run: never-opened
//@ stdout: -2
//@ run: twice
//@ stdout: done
//@ run: overwrite
//@ stdout: 0 42
//@ run: closed
//@ stdout: -2

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "check.h"
#include "keep.h"

static void *hook(int size)
{
	(void)size;
	return NULL;
}

static void use(void)
{
	char name[] = "counter";
	struct counter counter = { .allocate = hook, .name = name, .small = 77, .beside = 88 };
	for (int i = 0; i < 20; i++) {
		/* The same object again, and again as new. */
		CHECK(counter_open(&counter) == 7);
		/* The caller sees nothing of what the callee put there, nor the other way. */
		CHECK(counter.allocate == hook && counter.small == 77 && counter.beside == 88);
		CHECK(counter.own == &counter && counter.name == name);
		CHECK(counter_add(&counter, 40) == 'c' && counter.total == 40);
		name[0] = 'x';
		counter.total++;
		CHECK(counter_add(&counter, 1) == 'x' && counter.total == 42);
		CHECK(counter_peek(&counter) == 42 + 'x');
		name[0] = 'c';
		if (i % 2 == 0)
			CHECK(counter_close(&counter) == 'c' && counter.total == 42);
	}
	/* Many at once would each have a place; the last one counts here. */
	struct counter many[50];
	memset(many, 0, sizeof many);
	for (int i = 0; i < 50; i++) {
		CHECK(counter_open(&many[i]) == 0);
		CHECK(counter_add(&many[i], i) == 0 && many[i].total == i && many[i].own == &many[i]);
	}
	CHECK(counter_close(&many[49]) == 0);
	CHECK(counter_open(NULL) == -2);

	const char *text = "static text";
	set_text(text);
	/* What leads into something kept comes home, in a call that lends nothing too. */
	CHECK(stored_text() == text && current_text() == text);
	CHECK(find_text(text, 't') == text + 1 && find_text(text, '!') == NULL);
	drop_text(text);
	CHECK(stored_text() == NULL && current_text() == NULL);
}

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
	if (strcmp(how, "use") == 0) {
		use();
		puts("done");
		return 0;
	}
	if (strcmp(how, "twice") == 0) {
		/* One address, kept by two lends of a call: the first of them ends. */
		struct counter first = { .total = 'x' }, second = { .total = 'y' };
		for (int i = 0; i < 3; i++) {
			first.name = (const char *)&first;
			CHECK(counter_open(&first) == (i == 0));
			CHECK(counter_open(&second) == 0);
			CHECK(counter_add(&second, 5) == 0 && second.total == 5);
		}
		CHECK(counter_close(&second) == 0);
		puts("done");
		return 0;
	}
	struct counter *counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (strcmp(how, "never-opened") != 0) {
		CHECK(counter_open(counter) == 0);
		CHECK(counter_add(counter, 42) == 0);
	}
	if (strncmp(how, "free", 4) == 0)
		munmap(counter, 4096);
	/* The callee has its own copy: nothing of anybody's is lost. */
	if (strcmp(how, "free-peek") == 0)
		printf("%ld\n", counter_peek(counter));
	/* Nobody lends what is not there. */
	if (strcmp(how, "free-add") == 0)
		printf("%d\n", counter_add(counter, 1));
	if (strcmp(how, "foreign-name") == 0) {
		/* Kept or not, a field of it may lead to what the caller may not read. */
		counter->name = (const char *)counter_secret();
		counter_add(counter, 1);
	}
	if (strcmp(how, "overwrite") == 0) {
		/* As bytes it is no counter: what lib keeps in its own stays. */
		struct counter bytes = *counter;
		memset(&counter->allocate, 'x', sizeof counter->allocate);
		counter->own = (struct counter *)counter_secret();
		CHECK(sum_bytes((unsigned char *)counter, sizeof *counter) >= 8 * 'x');
		*counter = bytes;
		printf("%d ", counter_add(counter, 0));
		printf("%ld\n", counter_peek(counter));
	}
	if (strcmp(how, "never-opened") == 0)
		printf("%d\n", counter_add(counter, 1));
	if (strcmp(how, "closed") == 0) {
		CHECK(counter_close(counter) == 0);
		printf("%d\n", counter_add(counter, 1));
	}
}

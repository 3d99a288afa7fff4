//! Pointers and lengths inside of what is lent lead nobody further than its own
//! rights do.
//@ run: harmless
//@ stdout: done
//@ run: in
//@ violation: kind=lend cubicle=app owner=other place=data detail=the_caller_lends_8_bytes_that_it_may_not_read_itself
//@ run: out
//@ violation: kind=lend cubicle=app owner=other place=data detail=the_caller_lends_8_bytes_that_it_may_not_write_itself
//@ run: text
//@ violation: kind=lend cubicle=app owner=other place=data
//@ run: length
//@ violation: kind=lend cubicle=app owner=other place=data
//@ run: longer
//@ violation: kind=lend cubicle=app owner=app
//@ run: huge
//@ violation: kind=lend cubicle=app owner=app
//@ run: element
//@ violation: kind=lend cubicle=app owner=other place=data detail=the_caller_lends_2_bytes_that_it_may_not_read_itself
//@ run: many
//@ violation: kind=lend cubicle=app
//@ run: short
//@ violation: kind=lend cubicle=app detail=the_caller_lends_less_than_the_16_bytes_in_which_a_described_field_lies
//@ run: read-only
//@ violation: kind=lend cubicle=app owner=app place=constants
//@ run: left
//@ violation: kind=access cubicle=app owner=lib

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "box.h"
#include "check.h"

long other_secret(void);

static struct box fresh(char *out)
{
	memset(out, 'x', 8);
	return (struct box){ .in = "mine", .in_size = 4, .out = out, .out_size = 8, .text = "text" };
}

/* What the callee leaves: lies cost only itself. */
static void harmless(long foreign)
{
	char out[16];
	struct box box = fresh(out);
	CHECK(take(&box, 0, 0) == 'm' && box.out == out && out[0] == 'x');
	/* Moved to where it cannot be: all of the range comes back, and no more. */
	out[8] = 'y';
	CHECK(take(&box, 1, foreign) == 'm' && box.out == (char *)foreign && out[0] == 'o' && out[7] == 'o' && out[8] == 'y');
	box = fresh(out);
	CHECK(take(&box, 2, 0) == 'm' && out[0] == 'o' && out[8] == 'y');
	box = fresh(out);
	CHECK(take(&box, 3, 0) == 'm' && box.out == out + 4 && out[3] == 'o' && out[4] == 'x');
	box = fresh(out);
	/* Pointers to what was not lent pass: whoever follows them has only its own rights. */
	CHECK(take(&box, 4, foreign) == 0 && box.in == (char *)foreign && box.left == (char *)foreign);
	CHECK(take(NULL, 0, 0) == -1);
	struct box empty = { .in_size = 1000, .out_size = 1000 };
	CHECK(take(&empty, 0, 0) == 0 && empty.in == NULL && empty.out == NULL && empty.text == NULL);
	box = fresh(out);
	box.out_size = -5;
	box.in_size = 0;
	CHECK(take(&box, 0, 0) == 0 && out[0] == 'x');
	CHECK(counted("x", &empty) == -1 && short_box(NULL, 0) == -1);
}

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
	char *foreign = (char *)other_secret(), out[16];
	struct box box = fresh(out);
	if (strcmp(how, "harmless") == 0) {
		harmless((long)foreign);
		puts("done");
	}
	if (strcmp(how, "in") == 0) {
		box.in = foreign;
		box.in_size = 8;
		printf("%d\n", take(&box, 0, 0));
	}
	if (strcmp(how, "out") == 0) {
		box.out = foreign;
		take(&box, 0, 0);
	}
	if (strcmp(how, "text") == 0) {
		box.text = foreign;
		take(&box, 0, 0);
	}
	if (strcmp(how, "length") == 0) {
		box.length = (int *)foreign;
		printf("%d\n", counted("data", &box));
	}
	if (strcmp(how, "longer") == 0) {
		/* The object ends where nobody's memory begins. */
		char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		munmap(page + 4096, 4096);
		box.in = page;
		box.in_size = 4097;
		printf("%d\n", take(&box, 0, 0));
	}
	if (strcmp(how, "huge") == 0) {
		box.in_size = (size_t)-1;
		printf("%d\n", take(&box, 0, 0));
	}
	if (strcmp(how, "element") == 0) {
		struct box list[3] = { fresh(out), fresh(out), fresh(out) };
		list[2].in = foreign;
		list[2].in_size = 2;
		printf("%d\n", take_all(list, 3));
	}
	if (strcmp(how, "many") == 0) {
		/* More than the monitor stages for one call. */
		size_t number = 4000;
		struct box *list = calloc(number, sizeof *list);
		for (size_t i = 0; i < number; i++)
			list[i] = fresh(out);
		printf("%d\n", take_all(list, (int)number));
	}
	if (strcmp(how, "short") == 0)
		printf("%d\n", short_box(&box, 12));
	if (strcmp(how, "read-only") == 0) {
		box.out = (char *)"constant";
		take(&box, 0, 0);
	}
	if (strcmp(how, "left") == 0) {
		take(&box, 5, 0);
		printf("%d\n", *box.left);
	}
}

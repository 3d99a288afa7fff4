//! What is returned: pointers into what was lent, copies of what is the callee's,
//! and handles.
//@ run: use
//@ stdout: done
//@ run: elsewhere
//@ violation: kind=lend cubicle=app owner=lib detail=the_callee_returned_a_pointer_that_leads_elsewhere
//@ run: foreign
//@ violation: kind=lend cubicle=app owner=other place=data detail=the_callee_returned_a_pointer_that_leads_elsewhere
//@ run: foreign-table
//@ violation: kind=lend cubicle=app owner=other place=data detail=the_callee_returned_a_pointer_that_leads_elsewhere
//@ run: unmapped
//@ violation: kind=lend cubicle=app place=unmapped detail=the_callee_returned_a_pointer_that_leads_elsewhere
//@ run: monitor
//@ violation: kind=lend cubicle=app place=monitor detail=the_callee_returned_a_pointer_that_leads_elsewhere
//@ run: overhang
//@ violation: kind=lend cubicle=app owner=lib detail=the_callee_returned_a_pointer_that_leads_elsewhere
//@ run: opaque
//@ violation: kind=access cubicle=app owner=lib

#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "result.h"

long other_secret(void);

static void use(void)
{
	const char *text = "a text";
	CHECK(find(text, 't') == text + 2 && find(text, 0) == text + 6 && find(text, '!') == NULL);
	CHECK(find(NULL, 't') == NULL);
	struct pair pair = { text, 6 };
	CHECK(find_in(&pair, 'x') == text + 4 && find_in(&pair, '!') == NULL);
	CHECK(wrong("fine", "other") != NULL);
	char one[] = "one", two[] = "two";
	CHECK(first(one, two) == one && first(two, one) == one);

	CHECK(strcmp(copy_name(1), "name 1") == 0);
	CHECK(copy_name(-1) == NULL);
	/* It is the caller's memory, until the next call. */
	char *name = (char *)copy_name(2);
	name[0] = 'N';
	CHECK(strcmp(name, "Name 2") == 0 && strcmp(copy_name(5), "name 5") == 0);
	CHECK(strlen(copy_name(7)) == 59999);
	CHECK(strcmp(copy_name(3), "name 3") == 0);
	unsigned count = 0;
	const int *numbers = table(4, &count);
	CHECK(count == 4 && numbers[0] == 0 && numbers[3] == 12);
	numbers = table(5000, &count);
	CHECK(count == 5000 && numbers[4999] == 4999 * 5000);
	const struct object *it = object(9);
	CHECK(it->number == 9 && strcmp(it->name, "object") == 0);
	CHECK(object(10)->number == 10);
	void *handle = opaque(11);
	CHECK(opaque_number(handle) == 11);

	char data[101];
	memset(data, 'x', sizeof data);
	CHECK(read_some(data, 100, 10) == 10 && data[9] == 'r' && data[10] == 'x');
	CHECK(read_some(data, 100, -1) == -1 && data[10] == 'x');
	/* It says more than there is. */
	CHECK(read_some(data, 100, 1L << 62) == 1L << 62 && data[99] == 'r' && data[100] == 'x');
	memset(data, 'x', sizeof data);
	CHECK(read_items(data, 10, 10) == 5 && data[49] == 'i' && data[50] == 'x');

	/* What the caller may read itself is no copy. */
	CHECK(chosen((long)text) == text);
	CHECK(strcmp(chosen(lib_text()), "text of the library") == 0);
	CHECK(chosen_table(lib_text(), -1) != NULL && chosen_table(0, 100) == NULL);
}

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
	long secret = other_secret();
	const void *got = NULL;
	if (strcmp(how, "use") == 0) {
		for (int i = 0; i < 3; i++)
			use();
		puts("done");
	}
	if (strcmp(how, "elsewhere") == 0)
		got = wrong("!", "other");
	if (strcmp(how, "foreign") == 0)
		got = chosen(secret);
	if (strcmp(how, "foreign-table") == 0)
		got = chosen_table(secret, 1);
	if (strcmp(how, "unmapped") == 0)
		got = chosen(4096);
	if (strcmp(how, "monitor") == 0)
		got = chosen(0x1000000);
	if (strcmp(how, "overhang") == 0)
		got = chosen_table(lib_text(), 1L << 40);
	if (strcmp(how, "opaque") == 0)
		printf("%d\n", *(int *)opaque(5));
	if (got != NULL)
		printf("got %p\n", got);
}

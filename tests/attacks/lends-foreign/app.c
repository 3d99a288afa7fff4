//! Nobody can lend what it may not touch itself: the monitor copies, but not as
//! anybody's deputy.
//@ violation: kind=lend cubicle=app
//@ run: in
//@ violation: kind=lend cubicle=app owner=other place=data detail=the_caller_lends_8_bytes_that_it_may_not_read_itself
//@[pku] without: lend-rights
//@ then: stdout: lib took s
//@ run: out
//@ violation: kind=lend cubicle=app owner=other place=data detail=the_caller_lends_8_bytes_that_it_may_not_write_itself
//@ run: callee
//@ violation: kind=lend cubicle=app owner=lib place=data detail=the_caller_lends_8_bytes_that_it_may_not_read_itself
//@ without: lend-rights
//@ then: stdout: lib took M
//@ run: text
//@ violation: kind=lend cubicle=app owner=other place=data
//@ run: overhang
//@ violation: kind=lend cubicle=app owner=app
//@ run: wrap
//@ violation: kind=lend cubicle=app owner=app
//@ run: product
//@ violation: kind=lend cubicle=app owner=app
//@ run: constant-out
//@ violation: kind=lend cubicle=app owner=app place=constants detail=the_caller_lends_8_bytes_that_it_may_not_write_itself
//@ run: text-out
//@ violation: kind=lend cubicle=app owner=app place=text
//@ run: indirect
//@ violation: kind=lend cubicle=app owner=other place=data
//@ run: frame
//@ violation: kind=lend cubicle=app owner=other place=frame
//@ run: unmapped
//@ violation: kind=lend cubicle=app owner=null place=unmapped
//@ run: monitor
//@ violation: kind=lend cubicle=app place=monitor
//@ run: endless
//@ violation: kind=lend cubicle=app
//@ run: huge
//@ violation: kind=lend cubicle=app
//@ run: constant-in
//@ violation: none
//@ status: 0
//@ stdout: taken c
//@ run: foreign-constant-in
//@ violation: none
//@ status: 0
//@ stdout: taken f

#include <string.h>
#include <sys/mman.h>
#include "check.h"

long lib_secret(void);
long other_secret(void);
long other_value(void);
long other_heap(void);
long other_constant(void);
int take(const char *data, size_t size);
void give(char *data, size_t size);
long text(const char *text);
int many(const char *data, size_t a, size_t b);
int counted(const char *data, size_t *size);

static const char constant[8] = "constant";

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
	char *other = (char *)other_secret();
	char data[8] = "mine";
	CHECK(take(data, 8) == 'm');
	if (strcmp(how, "in") == 0)
		printf("lib took %c\n", take(other, 8));
	if (strcmp(how, "out") == 0) {
		give(other, 8);
		printf("other has %lx\n", other_value());
	}
	if (strcmp(how, "callee") == 0)
		printf("lib took %c\n", take((char *)lib_secret(), 8));
	if (strcmp(how, "text") == 0)
		text(other);
	if (strcmp(how, "overhang") == 0) {
		/* Begins in app's memory and ends in nobody's. */
		char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		munmap(page + 4096, 4096);
		take(page + 4000, 200);
	}
	if (strcmp(how, "wrap") == 0)
		take(data, (size_t)-1);
	if (strcmp(how, "product") == 0)
		many(data, (size_t)1 << 33, (size_t)1 << 33);
	if (strcmp(how, "constant-out") == 0)
		give((char *)constant, 8);
	if (strcmp(how, "text-out") == 0)
		give((char *)main, 8);
	if (strcmp(how, "indirect") == 0)
		counted(data, (size_t *)other);
	if (strcmp(how, "frame") == 0)
		/* Frames start the arena, which is aligned to 64 GiB. */
		take((char *)(other_heap() & ~((1L << 36) - 1)), 8);
	if (strcmp(how, "unmapped") == 0)
		take((char *)64, 8);
	if (strcmp(how, "monitor") == 0)
		take((char *)0x1000000, 8);
	if (strcmp(how, "endless") == 0) {
		char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(page, 'x', 4096);
		munmap(page + 4096, 4096);
		text(page);
	}
	if (strcmp(how, "huge") == 0) {
		/* More than the callee may have. */
		size_t size = (size_t)3 << 30;
		char *space = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		take(space, size);
	}
	if (strcmp(how, "constant-in") == 0)
		printf("taken %c\n", take(constant, 8));
	if (strcmp(how, "foreign-constant-in") == 0)
		printf("taken %c\n", take((char *)other_constant(), 7));
}

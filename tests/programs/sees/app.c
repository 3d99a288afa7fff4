//! Who sees another cubicle uses its pointers as they are; nobody else does.
//@ run: allowed
//@ stdout: done
//@ run: app writes reader
//@ violation: kind=access cubicle=app owner=reader place=data access=write
//@ run: app reads keeper
//@ violation: kind=access cubicle=app owner=keeper place=data access=read
//@ run: lib reads app
//@ violation: kind=access cubicle=lib owner=app place=data access=read
//@ run: lib writes app
//@ violation: kind=access cubicle=lib owner=app place=data access=write
//@ run: lib reads reader
//@ violation: kind=access cubicle=lib owner=reader place=data access=read
//@ run: keeper writes app
//@ violation: kind=access cubicle=keeper owner=app place=data access=write
//@ run: keeper reads lib
//@ violation: kind=access cubicle=keeper owner=lib place=data access=read
//@ run: reader reads app
//@ violation: kind=access cubicle=reader owner=app place=data access=read

#include <stdlib.h>
#include <string.h>
#include "check.h"

#define PEER(name) \
	long name##_own(void); \
	long name##_heap(void); \
	long name##_get(long); \
	void name##_put(long, long)
PEER(keeper);
PEER(lib);
PEER(reader);

static long own = 5;

static void allowed(void)
{
	long local = 11, *heap = malloc(sizeof *heap);
	*heap = 12;
	/* app and lib. */
	long *theirs = (long *)lib_own();
	CHECK(*theirs == 7);
	*theirs = 70;
	CHECK(lib_get(lib_own()) == 70);
	theirs = (long *)lib_heap();
	CHECK(*theirs == 8);
	*theirs = 80;
	CHECK(lib_get(lib_heap()) == 80);
	/* app and reader. */
	CHECK(*(long *)reader_own() == 7 && *(long *)reader_heap() == 8);
	/* keeper and app. */
	CHECK(keeper_get((long)&own) == 5 && keeper_get((long)&local) == 11 && keeper_get((long)heap) == 12);
	own = 6;
	CHECK(keeper_get((long)&own) == 6);
	puts("done");
}

int main(int count, char **arguments)
{
	if (count < 4) {
		allowed();
		return 0;
	}
	struct peer { const char *name; long own; long (*get)(long); void (*put)(long, long); } peers[] = {
		{ "app", (long)&own, NULL, NULL },
		{ "keeper", keeper_own(), keeper_get, keeper_put },
		{ "lib", lib_own(), lib_get, lib_put },
		{ "reader", reader_own(), reader_get, reader_put },
	};
	struct peer *who = NULL, *whose = NULL;
	for (int i = 0; i < 4; i++) {
		if (strcmp(peers[i].name, arguments[1]) == 0)
			who = &peers[i];
		if (strcmp(peers[i].name, arguments[3]) == 0)
			whose = &peers[i];
	}
	int reads = strcmp(arguments[2], "reads") == 0;
	if (who->get == NULL && reads)
		printf("%ld\n", *(volatile long *)whose->own);
	else if (who->get == NULL)
		*(volatile long *)whose->own = 9;
	else if (reads)
		printf("%ld\n", who->get(whose->own));
	else
		who->put(whose->own, 9);
	puts("nothing happened");
}

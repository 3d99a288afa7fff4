//! A large range is lent by a window for the time of a call. Whose memory it is
//! cannot end that window from within the call, and have another one in its place
//! that the monitor would take back instead.
//@ run: use
//@ stdout: done
//@ run: exchange
//@ stdout: the window has no name
//@ violation: kind=access cubicle=app owner=vault access=write detail=the_window_onto_it_is_for_reading_only

#include <cubicle.h>
#include <string.h>
#include <sys/mman.h>
#include "check.h"
#include "lib.h"

#define SIZE (512 << 10)

static char *shown;
static volatile char *large;

static void touch(void)
{
	/* It comes home, and lib has it again afterwards. */
	CHECK(large[0] == 1);
	large[0] = 7;
}

static void exchange(void)
{
	int ended = 0;
	for (int name = 0; name < 64 << 8; name++)
		ended += cubicle_window_destroy(name) == 0;
	/* The first place is the one that was free when the call began. */
	int window = cubicle_window_init();
	CHECK(cubicle_window_add(window, shown, 4096) == 0);
	puts(ended == 0 ? "the window has no name" : "the window was destroyed");
	fflush(stdout);
}

int main(int count, char **arguments)
{
	int attack = count > 1 && strcmp(arguments[1], "exchange") == 0;
	large = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (attack) {
		shown = vault_shows();
		CHECK(shown[0] == 's');
	}
	lib_fill((char *)large, SIZE, attack ? exchange : touch);
	CHECK(large[0] == 2 && large[SIZE - 1] == 2);
	if (attack) {
		*(volatile char *)shown = 'x';
		printf("%c\n", vault_value());
	}
	puts("done");
}

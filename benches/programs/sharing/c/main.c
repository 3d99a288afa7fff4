/* Each way to share memory, nanoseconds for each turn; with the argument `faults`, how
 * many page faults a turn takes instead, which time does not tell where keys are emulated. */

#include <stdint.h>
#include <string.h>
#include <cubicle.h>
#include "../../common/measure.h"
#include "guest.h"

#define PAGE 4096
#define LARGEST (1 << 20)

static long next(long value) { return value + 1; }

static void windows(int guest)
{
	char *memory = aligned_alloc(PAGE, PAGE);
	memset(memory, 0, PAGE);
	int window = cubicle_window_init();
	MEASURE("window add and remove", {
		cubicle_window_add(window, memory, PAGE);
		cubicle_window_remove(window, memory);
	});
	cubicle_window_add(window, memory, PAGE);
	MEASURE("window open and close", {
		cubicle_window_open(window, guest);
		cubicle_window_close(window, guest);
	});
	cubicle_window_open(window, guest);
	/* Each turn the page goes to the guest and comes back. */
	MEASURE("window first touch", {
		guest_touch(memory);
		++*(volatile char *)memory;
	});
	MEASURE("window later touch", guest_touch(memory));
	cubicle_window_destroy(window);
}

#define TURNS 100

/* Prints one line, "NAME NUMBER": the faults that one turn of STATEMENT takes. */
#define COUNT(NAME, STATEMENT)                                                                               \
	do {                                                                                                   \
		int before = cubicle_window_faults(window);                                                    \
		for (int turn = 0; turn < TURNS; turn++) {                                                     \
			STATEMENT;                                                                             \
		}                                                                                              \
		printf("%s %.2f\n", NAME, (double)(cubicle_window_faults(window) - before) / TURNS);           \
	} while (0)

static int faults(int guest)
{
	char *memory = aligned_alloc(PAGE, PAGE);
	memset(memory, 0, PAGE);
	int window = cubicle_window_init();
	cubicle_window_add(window, memory, PAGE);
	cubicle_window_open(window, guest);
	COUNT("window first touch", {
		guest_touch(memory);
		++*(volatile char *)memory;
	});
	guest_touch(memory);
	COUNT("window later touch", guest_touch(memory));
	return cubicle_window_destroy(window);
}

static void keyed(void)
{
	char *memory = cubicle_window_alloc(cubicle_find("shared"), PAGE);
	*memory = 0;
	MEASURE("keyed window touch", {
		guest_touch(memory);
		++*(volatile char *)memory;
	});
}

static void lends(void)
{
	/* Not page aligned, as most memory is. */
	char *memory = (char *)aligned_alloc(PAGE, LARGEST + PAGE) + 64;
	char *aligned = aligned_alloc(PAGE, LARGEST);
	memset(memory, 1, LARGEST);
	memset(aligned, 1, LARGEST);
	long value = 0;
	MEASURE("lend in 64", value += guest_read(memory, 64));
	MEASURE("lend in 4096", value += guest_read(memory, 4096));
	MEASURE("lend in 65536", value += guest_read(memory, 65536));
	MEASURE("lend in 1048576", value += guest_read(memory, LARGEST));
	MEASURE("lend in 1048576 pages", value += guest_read(aligned, LARGEST));
	MEASURE("lend out 64", guest_write(memory, 64));
	MEASURE("lend out 4096", guest_write(memory, 4096));
	MEASURE("lend out 65536", guest_write(memory, 65536));
	MEASURE("lend out 1048576", guest_write(memory, LARGEST));
	MEASURE("lend out 1048576 pages", guest_write(aligned, LARGEST));
	if (value == 0)
		puts("");
	struct remembered object = { 0 };
	guest_remember(&object);
	MEASURE("kept lend", value = guest_count(&object));
	if (value < 0)
		exit(1);
	guest_forget(&object);
}

int main(int count, char **arguments)
{
	if (count > 1 && strcmp(arguments[1], "faults") == 0)
		return faults(cubicle_find("guest"));
	long value = guest_nothing(0);
	MEASURE("call", value = guest_nothing(value));
	windows(cubicle_find("guest"));
	keyed();
	lends();
	MEASURE("callback passed", value = guest_call(next, value));
	guest_keep(next);
	MEASURE("callback kept", value = guest_call_kept(value));
	return 0;
}

/* Memory calls on what is in a window, and on what a guest has. */
#define _GNU_SOURCE
#include <cubicle.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "app.h"
#include "check.h"
#include "guest.h"

#define FAILS(call, error) CHECK((errno = 0, (long)(call) == -1 && errno == (error)))

static const int anywhere = MAP_PRIVATE | MAP_ANONYMOUS, read_write = PROT_READ | PROT_WRITE;

static char *mapped(size_t size) { return mmap(NULL, size, read_write, anywhere, -1, 0); }

static void while_in_a_window(void)
{
	char *at = mapped(3 * PAGE), *middle = at + PAGE;
	int window = cubicle_window_init();
	strcpy(middle, "kept");
	CHECK(cubicle_window_add(window, middle, 1) == 0);
	for (int given = 0; given < 2; given++) {
		FAILS(munmap(at, 3 * PAGE), EBUSY);
		FAILS(munmap(middle, PAGE), EBUSY);
		FAILS(mprotect(at, 2 * PAGE, PROT_READ), EBUSY);
		FAILS(mprotect(middle, PAGE, PROT_NONE), EBUSY);
		FAILS(mremap(middle, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EBUSY);
		FAILS(mremap(at, 3 * PAGE, PAGE, MREMAP_MAYMOVE), EBUSY);
		FAILS(madvise(middle, PAGE, MADV_DONTNEED), EBUSY);
		FAILS(mmap(middle, PAGE, read_write, anywhere | MAP_FIXED, -1, 0), EBUSY);
		/* Its neighbours are not concerned. */
		CHECK(mprotect(at, PAGE, PROT_READ) == 0 && mprotect(at, PAGE, read_write) == 0);
		CHECK(madvise(at + 2 * PAGE, PAGE, MADV_DONTNEED) == 0);
		CHECK(strcmp(middle, "kept") == 0);
		CHECK(cubicle_window_open(window, guest) == 0);
		CHECK(guest_get(middle) == 'k');
	}
	/* Nor may who has it change it. */
	CHECK(guest_changes(middle) == 0);
	CHECK(guest_get(middle) == 'k');
	/* A guest's own window keeps nobody from anything. */
	int of_guest = guest_init();
	CHECK(guest_add(of_guest, middle, 1) == 0);
	CHECK(guest_get(middle) == 'k');
	CHECK(cubicle_window_destroy(window) == 0);
	CHECK(munmap(at, 3 * PAGE) == 0);
	CHECK(guest_destroy(of_guest) == 0);
}

/* Windows are gone, but guest still has the page. */
static char *still_away(void)
{
	char *at = mapped(2 * PAGE);
	int window = cubicle_window_init();
	CHECK(cubicle_window_add(window, at, PAGE) == 0 && cubicle_window_open(window, guest) == 0);
	guest_put(at, 7);
	guest_put(at + PAGE - 1, 9);
	CHECK(cubicle_window_destroy(window) == 0);
	return at;
}

static void while_away(void)
{
	char *at = still_away();
	CHECK(munmap(at, 2 * PAGE) == 0);
	at = still_away();
	CHECK(mprotect(at, PAGE, PROT_READ) == 0 && at[0] == 7 && mprotect(at, PAGE, read_write) == 0);
	at[0] = 8;
	at = still_away();
	CHECK(madvise(at, PAGE, MADV_DONTNEED) == 0 && at[0] == 0);
	at = still_away();
	char *moved = mremap(at, 2 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED && moved[0] == 7 && moved[PAGE - 1] == 9);
	moved[0] = moved[4 * PAGE] = 1;
	at = still_away();
	CHECK(mmap(at, PAGE, read_write, anywhere | MAP_FIXED, -1, 0) == at && at[0] == 0);
	at[0] = 1;
	/* Given to a window again. */
	at = still_away();
	int window = cubicle_window_init();
	CHECK(cubicle_window_add(window, at, 2 * PAGE) == 0 && cubicle_window_open(window, third) == 0);
	CHECK(third_get(at) == 7 && third_get(at + PAGE) == 0);
	third_put(at, 6);
	CHECK(at[0] == 6 && cubicle_window_destroy(window) == 0);
}

static void heap(void)
{
	char *end = (char *)syscall(SYS_brk, 0);
	char *first = (char *)(((long)end + PAGE - 1) & -PAGE);
	CHECK((char *)syscall(SYS_brk, first + 4 * PAGE) == first + 4 * PAGE);
	int window = cubicle_window_init();
	CHECK(cubicle_window_add(window, first + 2 * PAGE, 1) == 0 && cubicle_window_open(window, guest) == 0);
	guest_put(first + 2 * PAGE, 1);
	/* It stays where it is, as if there were no room. */
	CHECK((char *)syscall(SYS_brk, first + PAGE) == first + 4 * PAGE);
	CHECK((char *)syscall(SYS_brk, first + 3 * PAGE) == first + 3 * PAGE);
	CHECK((char *)syscall(SYS_brk, first + 5 * PAGE) == first + 5 * PAGE);
	CHECK(guest_get(first + 2 * PAGE) == 1);
	CHECK(cubicle_window_destroy(window) == 0);
	CHECK((char *)syscall(SYS_brk, first) == first);
	/* New memory is new. */
	CHECK((char *)syscall(SYS_brk, first + 4 * PAGE) == first + 4 * PAGE && first[2 * PAGE] == 0);
	CHECK((char *)syscall(SYS_brk, end) == end);
}

/* Others' brk is about their own memory, whatever they ask for. */
static void break_of_others(void)
{
	static char data[PAGE] __attribute__((aligned(PAGE)));
	char *pages[] = { data, mapped(PAGE) };
	int window = cubicle_window_init();
	for (int i = 0; i < 2; i++) {
		CHECK(cubicle_window_add(window, pages[i], PAGE) == 0);
		CHECK(cubicle_window_open(window, guest) == 0);
		guest_put(pages[i], 7);
		long now = third_break(NULL);
		CHECK(third_break(pages[i]) == now);
		CHECK(third_break((char *)0x8000000) == now);
		CHECK(guest_get(pages[i]) == 7);
		guest_put(pages[i], 8);
		CHECK(pages[i][0] == 8);
		CHECK(guest_get(pages[i]) == 8);
	}
	CHECK(cubicle_window_destroy(window) == 0);
}

void memory_calls(void)
{
	break_of_others();
	while_in_a_window();
	while_away();
	heap();
}

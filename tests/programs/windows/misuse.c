/* Whatever is asked wrongly is an error number, and changes nothing. */
#include <cubicle.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "app.h"
#include "check.h"
#include "guest.h"

static char memory[4 * PAGE] __attribute__((aligned(PAGE)));
static const char constant[16] = "constant";
static int self;

static void windows_that_are_none(void)
{
	int gone = cubicle_window_init(), of_guest = guest_init();
	CHECK(gone >= 0 && cubicle_window_destroy(gone) == 0);
	int again = cubicle_window_init();
	/* Same number of windows, but not the same window. */
	CHECK(again >= 0 && again != gone);
	int none[] = { gone, -1, INT_MAX, INT_MIN, again + 1, again ^ 0x100, of_guest == again ? 7 : of_guest };
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++) {
		CHECK(cubicle_window_add(none[i], memory, PAGE) == -EBADF);
		CHECK(cubicle_window_remove(none[i], memory) == -EBADF);
		CHECK(cubicle_window_open(none[i], guest) == -EBADF);
		CHECK(cubicle_window_open_read_only(none[i], guest) == -EBADF);
		CHECK(cubicle_window_close(none[i], guest) == -EBADF);
		CHECK(cubicle_window_close_all(none[i]) == -EBADF);
		CHECK(cubicle_window_revoke(none[i], guest) == -EBADF);
		CHECK(cubicle_window_destroy(none[i]) == -EBADF);
	}
	CHECK(cubicle_window_destroy(again) == 0);
	CHECK(guest_destroy(of_guest) == 0 && guest_destroy(of_guest) == -EBADF);
}

static void cubicles_that_are_none(void)
{
	int window = cubicle_window_init();
	CHECK(cubicle_find("nobody") == -ENOENT);
	CHECK(cubicle_find("") == -ENOENT);
	CHECK(cubicle_find("gues") == -ENOENT && cubicle_find("guests") == -ENOENT);
	CHECK(cubicle_find("a name that is much longer than any name of a cubicle could ever be, as it seems") == -ENOENT);
	CHECK(syscall(0x43550010, 0x1000000, 4) == -1 && errno == EFAULT);
	CHECK(syscall(0x43550010, 8, 4) == -1 && errno == EFAULT);
	CHECK(cubicle_find("app") == self);
	int none[] = { -1, 3, 14, 1000, INT_MAX, INT_MIN };
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++) {
		CHECK(cubicle_window_open(window, none[i]) == -ESRCH);
		CHECK(cubicle_window_open_read_only(window, none[i]) == -ESRCH);
		CHECK(cubicle_window_close(window, none[i]) == -ESRCH);
		CHECK(cubicle_window_revoke(window, none[i]) == -ESRCH);
	}
	CHECK(cubicle_window_open(window, self) == -EINVAL);
	CHECK(cubicle_window_close(window, self) == -EINVAL);
	CHECK(cubicle_window_revoke(window, self) == -EINVAL);
	/* Access that is none. */
	for (long access = 0; access < 16; access++)
		if (access != 1 && access != 3)
			CHECK(syscall(0x43550023, window, guest, access) == -1 && errno == EINVAL);
	/* Not open, or no longer. */
	CHECK(cubicle_window_close(window, guest) == -ENOENT);
	CHECK(cubicle_window_open(window, guest) == 0 && cubicle_window_close(window, guest) == 0);
	CHECK(cubicle_window_close(window, guest) == -ENOENT);
	CHECK(cubicle_window_revoke(window, guest) == 0);
	CHECK(cubicle_window_close_all(window) == 0);
	CHECK(cubicle_window_destroy(window) == 0);
	/* Calls that are none. */
	for (long number = 0x43550028; number < 0x43550030; number++)
		CHECK(syscall(number, 0, 0, 0) == -1 && (errno == ENOSYS || errno == EBADF));
}

static void memory_that_is_not_ours(void)
{
	int window = cubicle_window_init();
	char on_stack[2 * PAGE];
	char *stack = (char *)(((uintptr_t)on_stack + PAGE) & -PAGE);
	char *frame = (char *)((uintptr_t)on_stack & ~((1L << 36) - 1));
	char *hole = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(munmap(hole + PAGE, PAGE) == 0);
	char *closed = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct {
		const void *at;
		size_t size;
		int error;
	} wrong[] = {
		{ memory, 0, EINVAL },
		{ memory, (size_t)-1, EINVAL },
		{ memory, SIZE_MAX / 2, EPERM },
		{ NULL, 1, EPERM },
		{ (void *)-1, 1, EINVAL },
		{ (void *)-2, 1, EPERM },
		{ (void *)0x1000000, PAGE, EPERM },
		{ (void *)0x2000000, PAGE, EPERM },
		{ (void *)0x3000000, PAGE, EPERM },
		{ (void *)0x4000000, PAGE, EPERM },
		{ (void *)0x7fffffffe000, PAGE, EPERM },
		{ guest_own(), 1, EPERM },
		{ (void *)((uintptr_t)guest_own() & -(128 << 20)), PAGE, EPERM },
		{ on_stack, 1, EACCES },
		{ stack, PAGE, EACCES },
		{ frame, 1, EACCES },
		{ frame + PAGE, 1, EFAULT },
		{ hole + PAGE, 1, EFAULT },
		{ hole, 3 * PAGE, EFAULT },
		{ closed, PAGE, EFAULT },
		{ constant, sizeof constant, EFAULT },
		{ (void *)(uintptr_t)memory_that_is_not_ours, 1, EFAULT },
		/* The gate of a function. */
		{ (void *)(uintptr_t)guest_get, 1, EPERM },
		/* From an arena into the next one. */
		{ frame + (1L << 36) - PAGE, 2 * PAGE, EPERM },
	};
	for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		int error = cubicle_window_add(window, wrong[i].at, wrong[i].size);
		if (error != -wrong[i].error)
			printf("add %u: %s, not %s\n", i, strerror(-error), strerror(wrong[i].error));
		CHECK(cubicle_window_remove(window, wrong[i].at) == -ENOENT);
	}
	CHECK(cubicle_window_add(window, memory + 8, 16) == 0);
	CHECK(cubicle_window_add(window, memory + 8, 32) == -EEXIST);
	CHECK(cubicle_window_remove(window, memory) == -ENOENT);
	CHECK(cubicle_window_remove(window, memory + 8) == 0);
	CHECK(cubicle_window_remove(window, memory + 8) == -ENOENT);
	/* A guest adds only what it was lent. */
	int of_guest = guest_init();
	CHECK(guest_add(of_guest, memory, 1) == -EPERM);
	CHECK(cubicle_window_add(window, memory, 2 * PAGE) == 0);
	CHECK(guest_add(of_guest, memory, 1) == -EPERM);
	CHECK(cubicle_window_open_read_only(window, guest) == 0);
	CHECK(guest_add(of_guest, memory, 2 * PAGE) == 0);
	CHECK(guest_add(of_guest, memory + PAGE, 2 * PAGE) == -EPERM);
	CHECK(guest_destroy(of_guest) == 0);
	CHECK(cubicle_window_destroy(window) == 0);
}

static void too_many(void)
{
	static int windows[1000];
	int count = 0;
	while (count < 1000 && (windows[count] = cubicle_window_init()) >= 0)
		count++;
	CHECK(count == 256 && windows[count] == -EMFILE);
	/* Others are not concerned. */
	int of_guest = guest_init();
	CHECK(of_guest >= 0 && guest_destroy(of_guest) == 0);
	int ranges = 0, error = 0;
	while (ranges < 10000 && (error = cubicle_window_add(windows[ranges % 2], memory + ranges, 1)) == 0)
		ranges++;
	CHECK(ranges == 1024 && error == -ENOSPC);
	while (count > 0)
		CHECK(cubicle_window_destroy(windows[--count]) == 0);
	/* Pages in several windows: more than can be noted. */
	size_t size = 20000L * PAGE;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int one = cubicle_window_init(), other = cubicle_window_init();
	CHECK(cubicle_window_add(one, at, size) == 0);
	CHECK(cubicle_window_add(other, at, size) == -ENOSPC);
	CHECK(cubicle_window_remove(other, at) == -ENOENT);
	CHECK(cubicle_window_open(other, guest) == 0 && cubicle_window_open(one, third) == 0);
	CHECK(third_get(at) == 0 && third_get(at + size - 1) == 0);
	CHECK(cubicle_window_destroy(one) == 0 && cubicle_window_destroy(other) == 0);
	CHECK(munmap(at, size) == 0);
	/* All of it can be had again. */
	int again = cubicle_window_init();
	CHECK(cubicle_window_add(again, memory, sizeof memory) == 0 && cubicle_window_destroy(again) == 0);
}

static void of_none(void)
{
	int window = cubicle_window_init();
	CHECK(cubicle_window_faults(window) == 0);
	CHECK(cubicle_window_destroy(window) == 0);
	CHECK(cubicle_window_faults(window) == -EBADF);
}

void misuse(void)
{
	of_none();
	self = cubicle_find("app");
	windows_that_are_none();
	cubicles_that_are_none();
	memory_that_is_not_ours();
	too_many();
}

/* Touches that no window permits: each ends in the report that app.c names. Where
 * guest had the page before, it could use it until then. */
#include <cubicle.h>
#include <string.h>
#include <sys/mman.h>
#include "app.h"
#include "check.h"
#include "guest.h"

static char memory[4 * PAGE] __attribute__((aligned(PAGE)));

void trespass(const char *how)
{
	int window = cubicle_window_init();
	char *at = memory + PAGE;
	volatile char *own = at;
#define IS(name) (strcmp(how, name) == 0)
	*own = 1;
	cubicle_window_add(window, at, PAGE);
	if (IS("never-opened"))
		guest_put(at, 2);
	if (IS("read-only")) {
		cubicle_window_open_read_only(window, guest);
		guest_put(at, 2);
	}
	if (IS("read-only-held")) {
		cubicle_window_open_read_only(window, guest);
		CHECK(guest_get(at) == 1);
		guest_put(at, 2);
	}
	if (IS("closed")) {
		cubicle_window_open(window, guest);
		guest_put(at, 2);
		cubicle_window_close(window, guest);
		CHECK(*own == 2);
		guest_get(at);
	}
	if (IS("narrowed")) {
		cubicle_window_open(window, guest);
		guest_put(at, 2);
		cubicle_window_open_read_only(window, guest);
		CHECK(*own == 2 && guest_get(at) == 2);
		guest_put(at, 3);
	}
	if (IS("passed-on-closed")) {
		int of_guest = guest_init();
		cubicle_window_open(window, guest);
		CHECK(guest_add(of_guest, at, 1) == 0 && guest_open(of_guest, "third", 0) == 0);
		third_put(at, 2);
		cubicle_window_close(window, guest);
		CHECK(*own == 2);
		third_get(at);
	}
	if (IS("all-closed")) {
		cubicle_window_open(window, guest);
		cubicle_window_open(window, third);
		third_put(at, 3);
		guest_put(at, 2);
		cubicle_window_close_all(window);
		*own = 3;
		guest_get(at);
	}
	if (IS("revoked")) {
		cubicle_window_open(window, guest);
		guest_put(at, 2);
		cubicle_window_revoke(window, guest);
		guest_get(at);
	}
	if (IS("closed-revoked")) {
		cubicle_window_open(window, guest);
		guest_put(at, 2);
		cubicle_window_close(window, guest);
		cubicle_window_revoke(window, guest);
		guest_get(at);
	}
	if (IS("removed")) {
		cubicle_window_open(window, guest);
		guest_put(at, 2);
		cubicle_window_remove(window, at);
		CHECK(*own == 2);
		guest_get(at);
	}
	if (IS("destroyed")) {
		cubicle_window_open(window, guest);
		guest_put(at, 2);
		cubicle_window_destroy(window);
		CHECK(*own == 2);
		guest_get(at);
	}
	if (IS("stranger")) {
		cubicle_window_open(window, guest);
		third_get(at);
	}
	if (IS("stranger-while-held")) {
		cubicle_window_open(window, guest);
		guest_put(at, 2);
		third_get(at);
	}
	if (IS("next-page")) {
		cubicle_window_open(window, guest);
		CHECK(guest_get(at + PAGE - 1) == 0);
		guest_get(at + PAGE);
	}
	if (IS("passed-on-revoked")) {
		int of_guest = guest_init();
		cubicle_window_open(window, guest);
		CHECK(guest_add(of_guest, at, 1) == 0 && guest_open(of_guest, "third", 0) == 0);
		third_put(at, 2);
		CHECK(third_get(at) == 2);
		cubicle_window_revoke(window, guest);
		third_get(at);
	}
	if (IS("constant")) {
		/* app itself may only read it. */
		cubicle_window_destroy(window);
		CHECK(mprotect(at, PAGE, PROT_READ) == 0);
		window = cubicle_window_init();
		CHECK(cubicle_window_add(window, at, PAGE) == 0 && cubicle_window_open(window, guest) == 0);
		CHECK(guest_get(at) == 1);
		guest_put(at, 2);
	}
	if (IS("execute")) {
		memset(at, 0xc3, PAGE);
		cubicle_window_open(window, guest);
		CHECK(guest_get(at) == (char)0xc3);
		guest_run(at);
	}
	if (IS("unmapped")) {
		char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		cubicle_window_add(window, map, PAGE);
		cubicle_window_open(window, guest);
		guest_put(map, 2);
		CHECK(munmap(map, PAGE) == -1);
		CHECK(guest_get(map) == 2);
		cubicle_window_destroy(window);
		CHECK(munmap(map, PAGE) == 0);
		guest_get(map);
	}
	if (IS("lent-further")) {
		cubicle_window_open_read_only(window, guest);
		CHECK(guest_sum_by_third((unsigned char *)at, 10) == 1);
		guest_fill_by_third(at, 2, 10);
	}
	if (IS("forged-token")) {
		cubicle_window_open(window, guest);
		guest_get_with_token(at);
	}
	puts("nothing came of it");
}

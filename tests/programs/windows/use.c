/* What windows are for. */
#include <cubicle.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "app.h"
#include "check.h"
#include "guest.h"

#define ALIGNED __attribute__((aligned(PAGE)))

static char in_data[2 * PAGE] ALIGNED = "data";
static char in_bss[PAGE] ALIGNED;

static void reads_and_writes(char *at)
{
	int window = cubicle_window_init();
	CHECK(window >= 0);
	at[0] = 'a';
	CHECK(cubicle_window_add(window, at, PAGE) == 0);
	CHECK(cubicle_window_open(window, guest) == 0);
	CHECK(guest_get(at) == 'a');
	guest_put(at, 'b');
	guest_put(at + PAGE - 1, 'c');
	CHECK(at[0] == 'b' && at[PAGE - 1] == 'c');
	/* Back and forth. */
	for (int i = 0; i < 100; i++) {
		at[1] = (char)i;
		CHECK(guest_get(at + 1) == i);
		guest_put(at + 2, i + 1);
		CHECK(at[2] == i + 1);
	}
	CHECK(cubicle_window_close(window, guest) == 0);
	CHECK(at[0] == 'b');
	CHECK(cubicle_window_open_read_only(window, guest) == 0);
	CHECK(guest_get(at) == 'b');
	/* Wider, while guest has the page for reading. */
	CHECK(cubicle_window_open(window, guest) == 0);
	guest_put(at, 'd');
	CHECK(at[0] == 'd');
	CHECK(cubicle_window_revoke(window, guest) == 0);
	CHECK(cubicle_window_remove(window, at) == 0);
	CHECK(cubicle_window_destroy(window) == 0);
	CHECK(at[0] == 'd');
}

static void many_pages(void)
{
	size_t pages = 600, size = pages * PAGE;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int window = cubicle_window_init();
	CHECK(cubicle_window_add(window, at, size) == 0);
	CHECK(cubicle_window_open(window, guest) == 0);
	CHECK(cubicle_window_faults(window) == 0);
	guest_fill(at, 1, size);
	/* One for each page, and none for what is touched again. */
	CHECK(cubicle_window_faults(window) == (int)pages);
	guest_fill(at, 1, size);
	CHECK(cubicle_window_faults(window) == (int)pages);
	long sum = 0;
	for (size_t i = 0; i < size; i++)
		sum += at[i];
	CHECK(sum == (long)size);
	for (size_t i = 0; i < pages; i += 2)
		at[i * PAGE] = 3;
	CHECK(guest_sum((unsigned char *)at, size) == (long)(size + pages));
	CHECK(cubicle_window_revoke(window, guest) == 0);
	CHECK(cubicle_window_destroy(window) == 0);
	for (size_t i = 0; i < pages; i++)
		CHECK(at[i * PAGE] == (i % 2 == 0 ? 3 : 1));
	CHECK(munmap(at, size) == 0);
}

static void ranges_and_windows(void)
{
	/* Two objects on one page, in one window and in two. */
	char *at = aligned_alloc(PAGE, 3 * PAGE);
	int one = cubicle_window_init(), other = cubicle_window_init();
	CHECK(one != other);
	CHECK(cubicle_window_add(one, at + 10, 10) == 0);
	CHECK(cubicle_window_add(one, at + 30, 10) == 0);
	/* Across the end of a page. */
	CHECK(cubicle_window_add(one, at + 2 * PAGE - 1, 2) == 0);
	CHECK(cubicle_window_add(other, at + 50, 10) == 0);
	CHECK(cubicle_window_open(one, guest) == 0);
	CHECK(cubicle_window_open_read_only(other, third) == 0);
	for (int i = 0; i < 3; i++) {
		guest_put(at + i * PAGE, i);
		CHECK(at[i * PAGE] == i);
	}
	CHECK(third_get(at) == 0);
	CHECK(cubicle_window_remove(one, at + 10) == 0);
	/* The other range keeps the page. */
	at[20] = 1;
	guest_put(at + 20, 2);
	CHECK(at[20] == 2);
	/* From guest to third and back, without app. */
	guest_put(at, 7);
	CHECK(third_get(at) == 7);
	guest_put(at, 8);
	CHECK(third_get(at) == 8 && at[0] == 8);
	CHECK(cubicle_window_destroy(one) == 0);
	CHECK(cubicle_window_destroy(other) == 0);
	free(at);
}

static void causal(char *at)
{
	int window = cubicle_window_init();
	CHECK(cubicle_window_add(window, at, PAGE) == 0);
	CHECK(cubicle_window_open(window, guest) == 0);
	guest_put(at, 1);
	CHECK(cubicle_window_close_all(window) == 0);
	/* Nobody has touched it since, so guest goes on. */
	guest_put(at, 2);
	CHECK(guest_get(at) == 2);
	CHECK(cubicle_window_destroy(window) == 0);
	guest_put(at, 3);
	CHECK(at[0] == 3);
}

static void passed_on(char *at)
{
	int window = cubicle_window_init();
	at[0] = 5;
	CHECK(guest_passes_on(at, 0) == -EPERM);
	CHECK(cubicle_window_add(window, at, PAGE) == 0);
	CHECK(guest_passes_on(at, 0) == -EPERM);
	CHECK(cubicle_window_open(window, guest) == 0);
	CHECK(guest_passes_on(at, 1) == 5);
	CHECK(guest_passes_on(at, 0) == 5);
	CHECK(guest_passes_on(at, 0) == 6);
	CHECK(at[0] == 7);
	/* Reading only, whatever guest opens. */
	CHECK(cubicle_window_revoke(window, guest) == 0);
	CHECK(cubicle_window_open_read_only(window, guest) == 0);
	CHECK(guest_passes_on(at, 1) == 7);
	CHECK(cubicle_window_destroy(window) == 0);
	CHECK(at[0] == 7);
}

/* Memory in a window, lent for a call by whoever may touch it, whoever has it. */
static void lent(char *at, size_t size)
{
	int window = cubicle_window_init();
	memset(at, 1, size);
	CHECK(cubicle_window_add(window, at, size) == 0 && cubicle_window_open(window, guest) == 0);
	CHECK(guest_sum_by_third((unsigned char *)at, size) == (long)size);
	CHECK(third_sum_lent((unsigned char *)at, size) == (long)size);
	guest_fill(at, 2, size);
	CHECK(third_sum_lent((unsigned char *)at, size) == 2 * (long)size);
	guest_fill(at, 3, size);
	third_fill_lent(at, 4, size);
	CHECK(at[0] == 4 && at[size - 1] == 4);
	guest_fill_by_third(at, 5, size);
	CHECK(guest_get(at) == 5 && at[size - 1] == 5);
	third_fill_lent(at, 6, size);
	CHECK(guest_sum((unsigned char *)at, size) == 6 * (long)size);
	CHECK(cubicle_window_destroy(window) == 0);
}

void use(void)
{
	char *heap = aligned_alloc(PAGE, PAGE);
	char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	reads_and_writes(in_data);
	reads_and_writes(in_data + PAGE);
	reads_and_writes(in_bss);
	reads_and_writes(heap);
	reads_and_writes(map);
	reads_and_writes(shared);
	many_pages();
	ranges_and_windows();
	char *large = aligned_alloc(PAGE, 16 * PAGE);
	lent(in_data + 100, 200);
	lent(large + 100, 5 * PAGE);
	lent(large, 16 * PAGE);
	causal(in_bss);
	passed_on(heap);
	/* Left open, and the page with guest: nothing is lost at exit. */
	int window = cubicle_window_init();
	CHECK(cubicle_window_add(window, in_data, sizeof in_data) == 0);
	CHECK(cubicle_window_open(window, guest) == 0);
	strcpy(in_data, "printed from a page that guest had");
	CHECK(guest_get(in_data) == 'p');
	puts(in_data);
	CHECK(guest_get(in_data) == 'p');
}

//! Three cubicles, each on several threads, count in the same pages all the time: a
//! page changes hands in the middle of what others do with it, is closed and opened,
//! and no count is lost.
//@ stdout: 54000 counted

#include <cubicle.h>
#include <pthread.h>
#include "check.h"
#include "adds.h"

enum { PAGES = 3, EACH = 2, ROUNDS = 60, TIMES = 50, THREADS = 3 * EACH };

static struct page { long count; char rest[4088]; } pages[PAGES] __attribute__((aligned(4096)));
static int window, other;
static volatile int done;

static void adds(long *at, int times)
{
	for (int i = 0; i < times; i++)
		__atomic_add_fetch(at, 1, __ATOMIC_RELAXED);
}

static void *counts(void *argument)
{
	static void (*const who[])(long *, int) = { adds, guest_adds, third_adds };
	long own = (long)argument;
	for (int round = 0; round < ROUNDS; round++)
		for (int page = 0; page < PAGES; page++)
			who[own % 3](&pages[(page + own) % PAGES].count, TIMES);
	return NULL;
}

/* A second window onto the same pages, which takes them home now and then. */
static void *opens(void *nothing)
{
	int guest = cubicle_find("guest");
	while (!done) {
		CHECK(cubicle_window_open(other, guest) == 0);
		CHECK(cubicle_window_revoke(other, guest) == 0);
		for (int i = 0; i < 1000; i++)
			__asm__ volatile("pause");
	}
	return nothing;
}

int main(void)
{
	pthread_t threads[THREADS], opener;
	window = cubicle_window_init();
	other = cubicle_window_init();
	CHECK(window >= 0 && other >= 0);
	CHECK(cubicle_window_add(window, pages, sizeof pages) == 0);
	CHECK(cubicle_window_add(other, pages, sizeof pages) == 0);
	CHECK(cubicle_window_open(window, cubicle_find("guest")) == 0);
	CHECK(cubicle_window_open(window, cubicle_find("third")) == 0);
	CHECK(pthread_create(&opener, NULL, opens, NULL) == 0);
	for (long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, counts, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	done = 1;
	CHECK(pthread_join(opener, NULL) == 0);
	long sum = 0;
	for (int page = 0; page < PAGES; page++)
		sum += pages[page].count;
	printf("%ld counted\n", sum);
}

#include <cubicle.h>
#include <string.h>
#include "vault.h"

static unsigned long page[512] __attribute__((aligned(4096)));
static int window, app;

long vault_open(void)
{
	window = cubicle_window_init();
	app = cubicle_find("app");
	page[0] = PUBLIC;
	if (window < 0 || app < 0 || cubicle_window_add(window, page, sizeof page) < 0)
		return 0;
	return cubicle_window_open_read_only(window, app) < 0 ? 0 : (long)page;
}

void vault_works(int rounds)
{
	for (int round = 0; round < rounds; round++) {
		cubicle_window_revoke(window, app);
		/* From here on it is its own. */
		*(volatile unsigned long *)page = SECRET;
		for (int i = 0; i < 150; i++)
			__asm__ volatile("pause");
		*(volatile unsigned long *)page = PUBLIC;
		cubicle_window_open_read_only(window, app);
		for (int i = 0; i < 20; i++)
			__asm__ volatile("pause");
	}
}

#include <cubicle.h>
#include "check.h"
#include "lib.h"

static char shown[4096] __attribute__((aligned(4096))) = "s";

char *vault_shows(void)
{
	int window = cubicle_window_init();
	CHECK(cubicle_window_add(window, shown, sizeof shown) == 0);
	CHECK(cubicle_window_open_read_only(window, cubicle_find("app")) == 0);
	return shown;
}

int vault_value(void) { return shown[0]; }

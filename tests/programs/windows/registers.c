/* A touch that changes a page's hands loses nothing of what the processor held. */
#include <cubicle.h>
#include <stdlib.h>
#include <string.h>
#include "app.h"
#include "check.h"
#include "guest.h"

static char memory[16 * PAGE] __attribute__((aligned(PAGE)));
static char other[16 * PAGE] __attribute__((aligned(PAGE)));

void registers(void)
{
	int window = cubicle_window_init();
	CHECK(cubicle_window_add(window, memory, sizeof memory) == 0 && cubicle_window_open(window, guest) == 0);
	/* As a guest, and as the owner that takes it back. */
	for (int i = 0; i < 20; i++) {
		memory[0] = (char)i;
		CHECK(guest_compares_registers(memory) == 0);
		guest_put(memory, i);
		CHECK(compare_registers(memory) == 0);
	}
	/* Instructions that fault in the middle, in both directions. */
	CHECK(cubicle_window_add(window, other, sizeof other) == 0);
	for (int backwards = 0; backwards < 2; backwards++) {
		for (size_t i = 0; i < sizeof memory; i++) {
			memory[i] = (char)(i * 7 + i / PAGE);
			other[i] = 0;
		}
		guest_copies(other + 5, memory + 3, sizeof memory - 100, backwards);
		CHECK(memcmp(other + 5, memory + 3, sizeof memory - 100) == 0);
		CHECK(other[4] == 0 && other[sizeof memory - 95] == 0);
	}
	*(int *)memory = 0;
	for (int i = 0; i < 50; i++) {
		CHECK(guest_adds((int *)memory, 1) == 2 * i);
		CHECK(__atomic_fetch_add((int *)memory, 1, __ATOMIC_SEQ_CST) == 2 * i + 1);
	}
	/* A stack pointer that leads elsewhere is not followed. */
	strcpy(memory, "untouched");
	memset(other, 1, PAGE);
	CHECK(guest_get_on(memory, other + PAGE) == 'u');
	for (int i = 0; i < PAGE; i++)
		CHECK(other[i] == 1);
	CHECK(cubicle_window_destroy(window) == 0);
}

#define _GNU_SOURCE
#include <cubicle.h>
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include "compare.h"
#include "guest.h"

int guest_get(const char *at) { return *(const volatile char *)at; }
void guest_put(char *at, int value) { *(volatile char *)at = (char)value; }

long guest_sum(const unsigned char *at, size_t size)
{
	long sum = 0;
	for (size_t i = 0; i < size; i++)
		sum += at[i];
	return sum;
}

void guest_fill(char *at, int value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((volatile char *)at)[i] = (char)value;
}

long guest_sum_by_third(const unsigned char *at, size_t size) { return third_sum_lent(at, size); }
void guest_fill_by_third(char *at, int value, size_t size) { third_fill_lent(at, value, size); }
int guest_adds(int *at, int value) { return __atomic_fetch_add(at, value, __ATOMIC_SEQ_CST); }

void guest_copies(char *to, const char *from, size_t size, int backwards)
{
	if (!backwards) {
		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
		return;
	}
	to += size - 1;
	from += size - 1;
	__asm__ volatile("std; rep movsb; cld" : "+D"(to), "+S"(from), "+c"(size) : : "memory", "cc");
}

int guest_get_on(const char *at, char *stack)
{
	int found;
	__asm__ volatile("mov %%rsp, %%r12; mov %2, %%rsp; movsbl (%1), %0; mov %%r12, %%rsp"
			 : "=&r"(found)
			 : "r"(at), "r"(stack)
			 : "r12", "memory");
	return found;
}

int guest_get_with_token(const char *at)
{
	/* The frame begins the arena, and the token is its third word. */
	volatile uint64_t *frame = (uint64_t *)((uintptr_t)__builtin_frame_address(0) & ~((1L << 36) - 1));
	frame[2] = 5;
	return *(const volatile char *)at;
}

void guest_run(char *at) { ((void (*)(void))at)(); }
int guest_compares_registers(const char *at) { return compare_registers_at(at); }

int guest_changes(char *at)
{
	int done = 0;
#define REFUSED(call) done += !(errno = 0, (long)(call) == -1 && errno == EPERM)
	REFUSED(munmap(at, 4096));
	REFUSED(mprotect(at, 4096, PROT_READ | PROT_WRITE));
	REFUSED(mprotect(at, 4096, PROT_NONE));
	REFUSED(mremap(at, 4096, 8192, MREMAP_MAYMOVE));
	REFUSED(madvise(at, 4096, MADV_DONTNEED));
	REFUSED(mmap(at, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	return done;
}

static long or_error(long result) { return result < 0 ? -errno : result; }
long guest_read(int file, char *at, size_t size) { return or_error(read(file, at, size)); }
long guest_write(int file, const char *at, size_t size) { return or_error(write(file, at, size)); }

long guest_read_parts(int file, char *first, size_t first_size, char *second, size_t second_size)
{
	struct iovec parts[] = { { first, first_size }, { second, second_size } };
	return or_error(readv(file, parts, 2));
}

int guest_fails(int error)
{
	errno = error;
	return -1;
}

static char own[4096] __attribute__((aligned(4096)));

char *guest_own(void) { return own; }
int guest_init(void) { return cubicle_window_init(); }
int guest_add(int window, const char *at, size_t size) { return cubicle_window_add(window, at, size); }

int guest_open(int window, const char *cubicle, int read_only)
{
	/* The name is app's constant, which all may read. */
	int number = cubicle_find(cubicle);
	return read_only ? cubicle_window_open_read_only(window, number) : cubicle_window_open(window, number);
}

int guest_close(int window, const char *cubicle) { return cubicle_window_close(window, cubicle_find(cubicle)); }
int guest_destroy(int window) { return cubicle_window_destroy(window); }

int guest_passes_on(char *at, int read_only)
{
	int window = cubicle_window_init();
	int error = cubicle_window_add(window, at, 1);
	if (error < 0)
		return error;
	error = guest_open(window, "third", read_only);
	if (error < 0)
		return error;
	int value = third_get(at);
	if (!read_only)
		third_put(at, value + 1);
	error = cubicle_window_destroy(window);
	return error < 0 ? error : value;
}

/* System calls on memory in windows: whoever may touch it may name it. */
#define _GNU_SOURCE
#include <cubicle.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include "app.h"
#include "check.h"
#include "guest.h"

static char memory[8 * PAGE] __attribute__((aligned(PAGE)));
/* A structure that crosses from one page into the next, without a length. */
static char *const crossing = memory + 5 * PAGE - sizeof(struct stat) / 2;

/* Everything with guest. */
static void away(void) { guest_fill(memory, 'g', sizeof memory); }

static void of_the_owner(int *ends)
{
	away();
	CHECK(write(ends[1], memory + 2 * PAGE - 2, 4) == 4);
	away();
	CHECK(read(ends[0], memory + PAGE - 3, 4) == 4 && memcmp(memory + PAGE - 3, "gggg", 4) == 0);
	away();
	/* All of it, although it was with guest. */
	CHECK(write(ends[1], memory, 4 * PAGE) == 4 * PAGE);
	away();
	CHECK(read(ends[0], memory + PAGE, 4 * PAGE) == 4 * PAGE);
	away();
	struct iovec *parts = (struct iovec *)(memory + 7 * PAGE);
	parts[0] = (struct iovec){ memory, 4 };
	parts[1] = (struct iovec){ memory + PAGE, 4 };
	parts[2] = (struct iovec){ memory + 3 * PAGE - 2, 4 };
	CHECK(guest_get(memory + 7 * PAGE) == guest_get(memory + 7 * PAGE));
	CHECK(writev(ends[1], parts, 3) == 12);
	away();
	parts[0] = (struct iovec){ memory, 4 };
	parts[1] = (struct iovec){ memory + PAGE, 8 };
	guest_get(memory + 7 * PAGE);
	CHECK(readv(ends[0], parts, 2) == 12);
	away();
	CHECK(stat("/", (struct stat *)crossing) == 0 && S_ISDIR(((struct stat *)crossing)->st_mode));
	away();
	strcpy(memory, "/dev/null");
	guest_get(memory);
	int file = open(memory, O_RDONLY);
	CHECK(file >= 0 && close(file) == 0);
}

/* A message that cannot be taken would be lost. */
static void messages(void)
{
	int ends[2];
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
	CHECK(send(ends[0], "first", 6, 0) == 6 && send(ends[0], "second", 7, 0) == 7);
	away();
	CHECK(recv(ends[1], memory, 100, 0) == 6 && strcmp(memory, "first") == 0);
	struct msghdr *header = (struct msghdr *)(memory + PAGE);
	struct iovec *part = (struct iovec *)(memory + 2 * PAGE);
	memset(header, 0, sizeof *header);
	header->msg_iov = part;
	header->msg_iovlen = 1;
	*part = (struct iovec){ memory + 3 * PAGE, 100 };
	guest_get(memory + PAGE);
	guest_get(memory + 2 * PAGE);
	guest_put(memory + 3 * PAGE, 'g');
	CHECK(recvmsg(ends[1], header, 0) == 7 && strcmp(memory + 3 * PAGE, "second") == 0);
	close(ends[0]);
	close(ends[1]);
}

static void of_a_guest(int window, int *ends)
{
	CHECK(write(ends[1], "0123456789", 10) == 10);
	CHECK(guest_read(ends[0], memory + PAGE - 2, 4) == 4 && memcmp(memory + PAGE - 2, "0123", 4) == 0);
	memcpy(memory + 3 * PAGE - 2, "abcd", 4);
	CHECK(guest_write(ends[1], memory + 3 * PAGE - 2, 4) == 4);
	memory[0] = memory[PAGE] = 0;
	CHECK(guest_read_parts(ends[0], memory, 4, memory + PAGE, 6) == 10);
	CHECK(memcmp(memory, "4567", 4) == 0 && memcmp(memory + PAGE, "89abcd", 6) == 0);
	/* No more than the window gives. */
	CHECK(write(ends[1], "XY", 2) == 2);
	CHECK(cubicle_window_revoke(window, guest) == 0);
	CHECK(guest_read(ends[0], memory, 1) == -EFAULT);
	CHECK(guest_write(ends[1], memory, 1) == -EFAULT);
	CHECK(guest_read_parts(ends[0], memory, 1, memory + PAGE, 1) == -EFAULT);
	CHECK(cubicle_window_open_read_only(window, guest) == 0);
	CHECK(guest_read(ends[0], memory, 1) == -EFAULT);
	CHECK(guest_write(ends[1], memory, 1) == 1);
	CHECK(memory[0] == '4');
	CHECK(cubicle_window_open(window, guest) == 0);
	CHECK(guest_read(ends[0], memory, 3) == 3 && memcmp(memory, "XY4", 3) == 0);
}

void system_calls(void)
{
	int ends[2], window = cubicle_window_init();
	CHECK(pipe(ends) == 0);
	CHECK(cubicle_window_add(window, memory, sizeof memory) == 0 && cubicle_window_open(window, guest) == 0);
	of_the_owner(ends);
	messages();
	of_a_guest(window, ends);
	/* errno lives in a page that guest has when a gate writes it. */
	CHECK(cubicle_window_add(window, &errno, sizeof errno) == 0);
	for (int i = 1; i < 100; i++) {
		guest_get((char *)&errno);
		CHECK(guest_fails(i) == -1 && errno == i);
	}
	CHECK(cubicle_window_destroy(window) == 0);
}

/* Messages over Unix sockets, memory through a memfd. See transport.h. */

#define _GNU_SOURCE
#include "transport.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROCESSES_AT_MOST 7
#define PAGE 4096UL

/* Descriptors that every process inherits: for each the end of its inbox that it reads and the
 * one that others write, and the memory. */
#define READ_END(PROCESS) (100 + 2 * (int)(PROCESS))
#define WRITE_END(PROCESS) (101 + 2 * (int)(PROCESS))
#define MEMORY (100 + 2 * PROCESSES_AT_MOST)

/* Where all have the memory, and how much of it each may give out. Pages that nobody
 * touched cost nothing. */
#define MEMORY_BASE 0x200000000000UL
#define MEMORY_OF_PROCESS (1UL << 30)

struct message {
	uint32_t reply;
	uint32_t sender;
	uint32_t function;
	uint32_t unused;
	long values[ARGUMENTS];
};

static unsigned own;
static char *next;

static _Noreturn void failed(const char *what)
{
	fprintf(stderr, "process %u: %s: %s\n", own, what, strerror(errno));
	/* The first process ends all others then (PR_SET_PDEATHSIG). */
	_exit(1);
}

static void share_memory(void)
{
	int flags = MAP_SHARED | MAP_FIXED_NOREPLACE;
	void *memory = mmap((void *)MEMORY_BASE, PROCESSES_AT_MOST * MEMORY_OF_PROCESS, PROT_READ | PROT_WRITE, flags, MEMORY, 0);
	if (memory == MAP_FAILED)
		failed("mapping the shared memory");
	next = (char *)MEMORY_BASE + own * MEMORY_OF_PROCESS;
}

static void place(int descriptor, int number)
{
	if (descriptor == number)
		return;
	if (dup2(descriptor, number) < 0)
		failed("placing a descriptor");
	close(descriptor);
}

/* All on one processor: two of them never run at the same time, and waking a process on another
 * processor takes longer than switching to it here. */
static void stay_on_one_processor(void)
{
	cpu_set_t all, one;
	CPU_ZERO(&one);
	if (sched_getaffinity(0, sizeof all, &all) != 0)
		failed("asking for processors");
	for (int processor = 0; processor < CPU_SETSIZE; processor++) {
		if (CPU_ISSET(processor, &all)) {
			CPU_SET(processor, &one);
			break;
		}
	}
	if (sched_setaffinity(0, sizeof one, &one) != 0)
		failed("choosing a processor");
}

/* Only those that fail end before the first one. */
static void process_ended(int number)
{
	(void)number;
	static const char text[] = "a process of the program ended\n";
	(void)!write(2, text, sizeof text - 1);
	_exit(1);
}

void transport_start(unsigned processes)
{
	char folder[4096];
	ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
	if (length < 0)
		failed("finding the other executables");
	folder[length] = 0;
	*strrchr(folder, '/') = 0;

	stay_on_one_processor();
	int memory = memfd_create("shared", 0);
	if (memory < 0 || ftruncate(memory, PROCESSES_AT_MOST * MEMORY_OF_PROCESS) != 0)
		failed("making the shared memory");
	place(memory, MEMORY);
	for (unsigned process = 0; process < processes; process++) {
		int ends[2];
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0)
			failed("making an inbox");
		place(ends[0], READ_END(process));
		place(ends[1], WRITE_END(process));
	}
	signal(SIGCHLD, process_ended);
	pid_t parent = getpid();
	for (unsigned process = 1; process < processes; process++) {
		pid_t child = fork();
		if (child < 0)
			failed("starting a process");
		if (child == 0) {
			char path[4200];
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)
				_exit(1);
			snprintf(path, sizeof path, "%s/part-%u", folder, process);
			execl(path, path, (char *)NULL);
			failed(path);
		}
	}
	share_memory();
}

static void send_message(unsigned process, const struct message *message)
{
	if (write(WRITE_END(process), message, sizeof *message) != sizeof *message)
		failed("sending");
}

static void receive(struct message *message)
{
	ssize_t length;
	do
		length = read(READ_END(own), message, sizeof *message);
	while (length < 0 && errno == EINTR);
	if (length != sizeof *message)
		failed("receiving");
}

static void serve(struct message *message)
{
	unsigned function = message->function;
	if (function >= transport_functions || transport_table[function] == NULL) {
		errno = ENOSYS;
		failed("a request for a function that is not here");
	}
	long result = transport_table[function](message->values);
	unsigned sender = message->sender;
	*message = (struct message){ .reply = 1, .sender = own, .values = { result } };
	send_message(sender, message);
}

long transport_call(unsigned process, unsigned function, const long arguments[ARGUMENTS])
{
	struct message message = { .sender = own, .function = function };
	memcpy(message.values, arguments, sizeof message.values);
	send_message(process, &message);
	for (;;) {
		receive(&message);
		if (message.reply)
			return message.values[0];
		serve(&message);
	}
}

_Noreturn void transport_serve(unsigned process)
{
	struct message message;
	own = process;
	share_memory();
	for (;;) {
		receive(&message);
		serve(&message);
	}
}

void *transport_memory(size_t size)
{
	size = (size + PAGE - 1) & -PAGE;
	char *end = (char *)MEMORY_BASE + (own + 1) * MEMORY_OF_PROCESS;
	if (size > (size_t)(end - next))
		return NULL;
	void *memory = next;
	next += size;
	return memory;
}

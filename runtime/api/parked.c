/* The `main` of a cubicle that has none of its own.
 *
 * It says that the image is ready and waits. Whenever a kernel thread enters
 * the cubicle for the first time, the monitor has it create a thread of this
 * libc; that thread parks, too, and calls into the cubicle run on its stack.
 * At the end `main` returns, so that libc flushes and destroys what it has.
 *
 * The numbers are those of runtime/abi/src/calls.rs.
 */

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#define PARK 0x43550000L
#define PARK_THREAD 0x43550001L
#define STACK_SIZE 0x43550003L
#define GONE 0x43550004L
#define ENDING 0x43550005L
#define COMMAND_ATTACH 1

static long monitor_call(long number, void (*function)(void))
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(function) : "rcx", "r11", "memory");
	return result;
}

/* What callbacks are that this image passed before it started anew. */
static void gone(void)
{
	monitor_call(GONE, NULL);
}

/* `exit` runs it, and `_exit` does not: in a child it decides whether others' streams,
 * which are copies of the parent's, are flushed. */
__attribute__((destructor)) static void ending(void)
{
	monitor_call(ENDING, NULL);
}

static void *virtual_thread(void *nothing)
{
	monitor_call(PARK_THREAD, NULL);
	return nothing;
}

int main(void)
{
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, (size_t)monitor_call(STACK_SIZE, NULL));
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	long command;
	while ((command = monitor_call(PARK, gone)) == COMMAND_ATTACH) {
		pthread_t thread;
		pthread_create(&thread, &attributes, virtual_thread, NULL);
	}
	/* Refused: to return would end the program as if it had done its work. */
	if (command < 0)
		abort();
	return 0;
}

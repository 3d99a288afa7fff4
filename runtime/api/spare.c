/* Threads of the main cubicle for kernel threads that others create: its own `main`
 * does not park, because it is the program.
 *
 * When another cubicle creates its first thread, the monitor has the main cubicle
 * call `cubicle_spare`, as a callback would be. The thread made there waits to make
 * further ones, as `main` does in the other cubicles (parked.c).
 *
 * The numbers are those of runtime/abi/src/calls.rs.
 */

#include <pthread.h>
#include <stddef.h>

#define PARK 0x43550000L
#define PARK_THREAD 0x43550001L
#define STACK_SIZE 0x43550003L
#define ENDING 0x43550005L
#define COMMAND_ATTACH 1

static long monitor_call(long number)
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(0L) : "rcx", "r11", "memory");
	return result;
}

/* `exit` runs it, and `_exit` does not: in a child it decides whether others' streams,
 * which are copies of the parent's, are flushed. */
__attribute__((destructor)) static void ending(void)
{
	monitor_call(ENDING);
}

static void create(void *(*function)(void *))
{
	pthread_t thread;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, (size_t)monitor_call(STACK_SIZE));
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_create(&thread, &attributes, function, NULL);
}

static void *virtual_thread(void *nothing)
{
	monitor_call(PARK_THREAD);
	return nothing;
}

static void *spare(void *nothing)
{
	while (monitor_call(PARK) == COMMAND_ATTACH)
		create(virtual_thread);
	return nothing;
}

void cubicle_spare(void)
{
	create(spare);
	monitor_call(PARK_THREAD);
}

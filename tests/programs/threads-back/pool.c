#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "pool.h"

struct task { pthread_t thread; job_t job; void *data; long number, result; };

static __thread long calls;

static void *work(void *argument)
{
	struct task *task = argument;
	task->result = task->job(task->number, task->data);
	return NULL;
}

long pool_run(job_t job, void *data, long count)
{
	struct task *tasks = calloc((size_t)count, sizeof *tasks);
	long sum = 0;
	for (long i = 0; i < count; i++) {
		tasks[i] = (struct task) { .job = job, .data = data, .number = i };
		if (pthread_create(&tasks[i].thread, NULL, work, &tasks[i]) != 0)
			puts("no thread");
	}
	for (long i = 0; i < count; i++) {
		pthread_join(tasks[i].thread, NULL);
		sum += tasks[i].result;
	}
	free(tasks);
	return sum;
}

long pool_add(long a, long b)
{
	calls++;
	return a + b + 0 * calls;
}

static void ended(void) { puts("pool: destructor"); }
__attribute__((destructor)) static void destructor(void) { ended(); }

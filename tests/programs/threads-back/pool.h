typedef long (*job_t)(long number, void *data);

/* Calls `job` for 0 up to `count` on as many threads; the sum of the results. */
long pool_run(job_t job, void *data, long count);
long pool_add(long a, long b);
int pool_destroyed(void);

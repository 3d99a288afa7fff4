enum way { READ_NULL, WRITE_NULL, READ_FOREIGN, ABORT, OVERFLOW, EXHAUST, DIVIDE, ILLEGAL, JUMP, FREE_TWICE, WAYS };

struct object {
	int sum;
	int *own;
};

/* Fails. */
int lib_fail(enum way way, void *foreign);
/* How often it was called since the image started. */
int lib_count(void);
int lib_fill(char *buffer, int size, int fail);
const char *lib_name(int fail);
double lib_ratio(double value, int fail);
void lib_nothing(int fail);
/* Has other call lib_fail, and then fails itself or not. */
int lib_through(int deep);
int lib_open(struct object *object);
int lib_add(struct object *object, int number, int fail);
int lib_close(struct object *object);
/* A function of the library's that app may call. */
int (*lib_hook(void))(int);
int other_call_lib(int deep, int *then);

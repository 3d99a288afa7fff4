struct list
{
	struct list *next;
	const char *name;
	int (*compare)(const void *, const void *);
	unsigned flag : 3, rest : 5;
	union
	{
		double number;
		long double wide;
	} value;
	char text[5];
};
enum colour { RED, GREEN = 70000 };
typedef float vector __attribute__((vector_size(16)));

int taken(int) __attribute__((weak));
int common;
static _Thread_local int own = 3;
__attribute__((weak)) int weak(int n) { return n + own; }

int seed(struct list *list, enum colour colour, struct list by_value, vector v, ...)
{
	long result;
	if (list->compare)
		common = list->compare(list, list->next);
	if (taken)
		common += taken(weak(colour));
	__asm__ volatile("mov $39, %%eax; syscall" : "=a"(result) : : "rcx", "r11", "memory");
	switch (colour) {
	case 1: return 3;
	case 2: return common;
	case 3: return by_value.text[1];
	case 4: return (int)v[0];
	case 5: return (int)result;
	default: return (int)by_value.value.wide;
	}
}

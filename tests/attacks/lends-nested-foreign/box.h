#include <stddef.h>

struct box {
	const char *in;
	size_t in_size;
	char *out;
	int out_size;
	const char *text;
	int *length;
	char *left;
};

int take(struct box *box, int how, long address);
int take_all(struct box *list, int count);
int counted(const char *data, struct box *box);
int short_box(struct box *box, size_t size);

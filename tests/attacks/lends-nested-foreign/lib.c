#include <stdio.h>
#include <string.h>
#include "box.h"

/* None of the foreign bytes may ever be printed. */
int take(struct box *box, int how, long address)
{
	if (box == NULL)
		return -1;
	if (box->out != NULL)
		memset(box->out, 'o', box->out_size < 0 ? 0 : (size_t)box->out_size);
	switch (how) {
	case 1: /* moved out of what was lent */
		box->out = (char *)address;
		break;
	case 2: /* moved back */
		box->out--;
		break;
	case 3: /* says that more was there */
		box->in_size = box->out_size = 1 << 30;
		box->out += 4;
		break;
	case 4: /* pointers to others' memory */
		box->in = box->text = box->left = (char *)address;
		break;
	case 5: /* to its own */
		box->left = (char *)&box;
		break;
	}
	return box->in == NULL || box->in_size == 0 || how == 4 ? 0 : box->in[0];
}

int take_all(struct box *list, int count)
{
	int sum = 0;
	for (int i = 0; i < count; i++)
		sum += list[i].in[0];
	return sum;
}

int counted(const char *data, struct box *box) { return box->length == NULL ? -1 : data[0]; }
int short_box(struct box *box, size_t size) { return size == 0 ? -1 : box->in[0]; }

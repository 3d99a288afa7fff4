#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "result.h"

const char *find(const char *text, char letter) { return text == NULL ? NULL : strchr(text, letter); }
const char *find_in(const struct pair *pair, char letter) { return memchr(pair->text, letter, pair->size); }
const char *wrong(const char *text, const char *other) { return text[0] == '!' ? other : text; }
const char *first(const char *text, const char *other) { return strcmp(text, other) < 0 ? text : other; }

const char *copy_name(int number)
{
	static char names[3][60000];
	if (number < 0)
		return NULL;
	snprintf(names[number % 3], sizeof names[0], "name %d", number);
	if (number == 7)
		memset(names[1], 'n', sizeof names[1] - 1);
	return names[number % 3];
}

const int *table(int wanted, unsigned *count)
{
	static int numbers[5000];
	for (int i = 0; i < 5000; i++)
		numbers[i] = i * wanted;
	*count = (unsigned)wanted;
	return numbers;
}

const struct object *object(int number)
{
	struct object *made = calloc(1, sizeof *made);
	made->number = number;
	strcpy(made->name, "object");
	made->next = made;
	return made;
}

void *opaque(int number)
{
	int *made = malloc(sizeof *made);
	*made = number;
	return made;
}

int opaque_number(void *it) { return *(int *)it; }

long read_some(char *data, long size, long wanted)
{
	memset(data, 'r', (size_t)size);
	return wanted;
}

unsigned read_items(void *data, unsigned size, unsigned count)
{
	memset(data, 'i', (size_t)size * count);
	return count / 2;
}

static char text[] = "text of the library";
long lib_text(void) { return (long)text; }
const char *chosen(long address) { return (const char *)address; }
const int *chosen_table(long address, long count)
{
	(void)count;
	return (const int *)address;
}

#include <string.h>
#include "check.h"
#include "nested.h"

/* Inverts bytes, as many as there are on both sides. */
int inflate(struct stream *strm)
{
	if (strm == NULL)
		return -1;
	CHECK(strm->hook == NULL && strm->level == 9 && strm->after_level == 77);
	int done = 0;
	while (strm->avail_in > 0 && strm->avail_out > 0) {
		*strm->next_out++ = *strm->next_in++ ^ 0xff;
		strm->avail_in--;
		strm->avail_out--;
		done++;
	}
	strm->message = "done";
	strm->self = strm;
	strm->level = 1;
	return done;
}

long gather(const struct vector *vectors, int count)
{
	long sum = 0;
	for (int i = 0; i < count; i++)
		for (size_t at = 0; vectors[i].base != NULL && at < vectors[i].length; at++)
			sum += ((char *)vectors[i].base)[at];
	return sum;
}

long scatter(struct vector *vectors, int count)
{
	long all = 0;
	for (int i = 0; i < count; i++) {
		if (vectors[i].base == NULL)
			continue;
		memset(vectors[i].base, 'a' + i, vectors[i].length);
		vectors[i].used = vectors[i].length / 2;
		all += (long)vectors[i].used;
	}
	return all;
}

long messages(struct message *list, int count, unsigned unit)
{
	long sum = 0;
	for (int i = 0; i < count; i++) {
		if (list[i].name.text != NULL)
			sum += list[i].name.size < 0 ? (long)strlen(list[i].name.text) : list[i].name.text[list[i].name.size - 1];
		for (int part = 0; part < list[i].count; part++) {
			char *base = list[i].parts[part].base;
			size_t size = list[i].parts[part].length * unit;
			for (size_t at = 0; at < size; at++)
				sum += base[at]++;
		}
	}
	return sum;
}

long words(char **words, const int *count)
{
	long length = 0;
	for (int i = 0; i < *count; i++)
		length += words[i] == NULL ? 100 : (long)strlen(words[i]);
	return length;
}

int longest(const char *const *words, int count, const char **found)
{
	*found = NULL;
	for (int i = 0; i < count; i++)
		if (*found == NULL || strlen(words[i]) > strlen(*found))
			*found = words[i];
	return count;
}

int split(const char *text, const char **tail, const char **parts, int room)
{
	int count = 0;
	while (*text != 0 && count < room) {
		parts[count++] = text;
		while (*text != 0 && *text != ' ')
			text++;
		while (*text == ' ')
			text++;
	}
	if (tail != NULL)
		*tail = text;
	return count;
}

int relink(struct link *ring, int count)
{
	for (int i = 0; i < count; i++) {
		/* As the caller left it, it does not lead here. */
		ring[i].next = &ring[(i + 1) % count];
		ring[i].back = i == 0 ? NULL : &ring[i - 1];
		ring[i].number = i;
	}
	return count;
}

int text_or_bytes(const char *data, int length)
{
	if (data == NULL)
		return -1;
	return length < 0 ? (int)strlen(data) : length == 0 ? 0 : data[length - 1];
}

int same(const char *left, const void *right) { return left == right; }

int replaced(void (*free)(void *), short number, int c, int d, int e, int f, long g)
{
	CHECK(free == (void (*)(void *))-1 && number == 300 && g == 7);
	return c + d + e + f;
}

//! Pointers and lengths in structs and arrays: both sides see their own addresses,
//! and what the callee moved comes back moved.
//@ stdout: done

#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "nested.h"

static void hook(struct stream *strm) { (void)strm; }

static void streams(unsigned in_size, unsigned out_size)
{
	unsigned char *in = malloc(in_size), *out = malloc(out_size + 1);
	for (unsigned i = 0; i < in_size; i++)
		in[i] = i % 251;
	memset(out, 'x', out_size + 1);
	struct stream strm = {
		.next_in = in, .avail_in = in_size, .next_out = out, .avail_out = out_size,
		.level = 5, .after_level = 77, .hook = hook, .self = NULL,
	};
	unsigned less = in_size < out_size ? in_size : out_size;
	CHECK(inflate(&strm) == (int)less);
	CHECK(strm.next_in == in + less && strm.avail_in == in_size - less);
	CHECK(strm.next_out == out + less && strm.avail_out == out_size - less);
	for (unsigned i = 0; i < less; i++)
		if (out[i] != (in[i] ^ 0xff)) {
			CHECK(!"the bytes are inverted");
			break;
		}
	/* What it did not write is as it was. */
	CHECK(out[less] == 'x' && out[out_size] == 'x');
	/* What was replaced is as it was, and what points into the struct comes home. */
	CHECK(strm.hook == hook && strm.level == 5 && strm.after_level == 77 && strm.self == &strm);
	CHECK(strcmp(strm.message, "done") == 0);
	free(in);
	free(out);
}

static void vectors(void)
{
	char one[] = { 1, 1, 1 }, two[] = { 2, 2 };
	struct vector list[] = { { one, 3, 0 }, { NULL, 5, 0 }, { two, 2, 0 }, { two, 0, 0 } };
	CHECK(gather(list, 4) == 7 && gather(list, 1) == 3 && gather(list, 0) == 0 && gather(NULL, 0) == 0);
	CHECK(list[0].base == one && list[2].base == two);
	char big[20000];
	memset(big, 'x', sizeof big);
	struct vector out[] = { { big, sizeof big, 0 }, { one, 3, 9 }, { NULL, 8, 9 } };
	CHECK(scatter(out, 3) == 10001);
	CHECK(out[0].base == big && out[1].base == one && out[2].base == NULL);
	CHECK(out[0].used == 10000 && out[1].used == 1 && out[2].used == 9);
	CHECK(big[0] == 'a' && big[9999] == 'a' && big[10000] == 'x' && one[0] == 'b' && one[1] == 1);
	struct vector many[300];
	for (int i = 0; i < 300; i++)
		many[i] = (struct vector){ &one[1], 1, 0 };
	CHECK(gather(many, 300) == 300);
}

static void arrays_in_arrays(void)
{
	char a[] = { 1, 2, 3, 4 }, b[] = { 5, 6 };
	struct vector first[] = { { a, 2, 0 }, { b, 1, 0 } }, second[] = { { a + 2, 1, 0 } };
	struct message list[] = {
		{ first, 2, { "name", -1 } },
		{ NULL, 0, { NULL, 3 } },
		{ second, 1, { "\3\4\5", 2 } },
	};
	CHECK(messages(list, 3, 2) == 10 + 11 + 4 + 7 + 4);
	CHECK(a[0] == 2 && a[1] == 3 && a[3] == 5 && b[0] == 6 && b[1] == 7);
	CHECK(list[0].parts == first && list[2].parts == second && first[0].base == a);
}

static void texts(void)
{
	char *list[] = { "a", NULL, "three", "" };
	int count = 4;
	CHECK(words(list, &count) == 106);
	count = -1;
	CHECK(words(list, &count) == 0);
	const char *const three[] = { "one", "three", "four" };
	const char *found = "nothing";
	CHECK(longest(three, 3, &found) == 3 && found == three[1]);
	CHECK(longest(three, 0, &found) == 0 && found == NULL);
	const char *text = "ab  cd e", *tail = NULL, *parts[3] = { NULL, NULL, "untouched" };
	CHECK(split(text, &tail, parts, 2) == 2);
	CHECK(tail == text + 7 && parts[0] == text && parts[1] == text + 4);
	CHECK(split(text, NULL, parts, 3) == 3 && parts[2] == text + 7);
	/* One past the end is inside. */
	CHECK(split("", &tail, parts, 3) == 0 && *tail == 0);
	CHECK(text_or_bytes("four", -1) == 4 && text_or_bytes("four", 2) == 'o' && text_or_bytes("", 0) == 0);
	CHECK(text_or_bytes(NULL, -1) == -1);
	/* A handle is the caller's address, a lend is not. */
	CHECK(same(text, text) == 0);
}

static void rings(void)
{
	struct link ring[20];
	memset(ring, 0xff, sizeof ring);
	ring[3].next = &ring[7];
	CHECK(relink(ring, 19) == 19);
	for (int i = 0; i < 19; i++)
		CHECK(ring[i].next == &ring[(i + 1) % 19] && ring[i].back == (i == 0 ? NULL : &ring[i - 1]) && ring[i].number == i);
	CHECK(ring[19].number == -1);
}

int main(void)
{
	for (int i = 0; i < 3; i++) {
		streams(100, 200);
		streams(200, 100);
		streams(0, 10);
		streams(1 << 20, 1 << 20);
		streams((16 << 10) + 1, 16 << 10);
		CHECK(inflate(NULL) == -1);
		struct stream empty = { .after_level = 77 };
		CHECK(inflate(&empty) == 0 && empty.next_in == NULL && empty.next_out == NULL && empty.self == &empty);
		vectors();
		arrays_in_arrays();
		texts();
		rings();
		CHECK(replaced(NULL, 1, 2, 3, 4, 5, 6) == 14);
	}
	puts("done");
}

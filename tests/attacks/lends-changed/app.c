//! Lengths, pointers and contents that change during a call: what was lent is
//! what was there when the call was made.
//@ stdout: done

#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "lib.h"

static char original[128], other[128], text[16] = "lent";
static struct request request;
static unsigned long length;

static void change_request(void)
{
	request.data = other;
	request.size = 1 << 30;
	memset(original, 'c', sizeof original);
}

static void change_length(void) { length = 1 << 30; }
static void change_text(void) { memset(text, 'T', sizeof text); }

int main(void)
{
	for (int i = 0; i < 3; i++) {
		memset(original, 'o', sizeof original);
		memset(other, 'p', sizeof other);
		request = (struct request) { original, 64 };
		CHECK(lib_process(&request, change_request) == 64);
		CHECK(request.data == original && request.size == 64);
		CHECK(original[0] == 'x' && original[63] == 'x' && original[64] == 'c');
		CHECK(other[0] == 'p' && other[127] == 'p');

		memset(original, 'o', sizeof original);
		length = 16;
		CHECK(lib_fill(original, &length, change_length) == 8 && length == 8);
		CHECK(original[7] == 'f' && original[8] == 'o' && original[16] == 'o');

		memcpy(text, "lent", 5);
		CHECK(lib_read(text, change_text) == 4);
	}
	puts("done");
}

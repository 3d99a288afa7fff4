//! Keyed windows: variables and heap that app, codec and reader share, each with its
//! own rights and without ever taking a fault; and who is none of them.
//@ run: use
//@ stdout: done
//@ run: reader-writes
//@ violation: kind=access cubicle=reader owner=window_frames access=write place=data
//@ run: reader-writes-heap
//@ violation: kind=access cubicle=reader owner=window_frames access=write place=heap
//@ run: stranger-reads
//@ violation: kind=access cubicle=stranger owner=window_frames access=read place=data
//@ run: stranger-reads-heap
//@ violation: kind=access cubicle=stranger owner=window_frames access=read place=heap
//@ run: reader-reads-the-other
//@ violation: kind=access cubicle=reader owner=window_queue access=read place=data
//@ run: freed
//@ violation: kind=crash:codec

#include <cubicle.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"
#include "shared.h"

#define PAGE 4096

unsigned char frame_pool[3 * PAGE];
int frame_count = 7;
/* Addresses of constants, which all can read. */
const char *frame_names[2] = { "first", "second" };
/* Next to them in the source, and not in the window. */
static int private = 5;

static int frames, others;

static void variables(void)
{
	CHECK(frame_count == 7 && reader_count() == 7 && private == 5);
	for (int i = 1; i < 20; i++) {
		codec_fill(i);
		CHECK(reader_sum() == (long)sizeof frame_pool * i && frame_count == 7 + i);
		CHECK(frame_pool[0] == i && frame_pool[sizeof frame_pool - 1] == i);
		frame_pool[PAGE] = 0;
		CHECK(reader_sum() == (long)sizeof frame_pool * i - i);
		CHECK(reader_count() == frame_count);
	}
	/* Whole pages of their own. */
	CHECK((uintptr_t)frame_pool % PAGE == 0 && (uintptr_t)&frame_count % PAGE == 0);
	CHECK((uintptr_t)frame_names % PAGE == 0 && (uintptr_t)&queue % PAGE == 0);
	CHECK(queue.first == queue.items && queue.last == queue.items + 999);
	for (int i = 0; i < 1000; i++)
		codec_push(i);
	CHECK(queue.first == queue.last + 1 && *queue.last == 999);
	queue.first = queue.items;
	codec_push(5);
	CHECK(queue.items[0] == 5);
}

static void heap(void)
{
	size_t size = 3 * PAGE + 1;
	char *at = cubicle_window_alloc(frames, size), *other = codec_alloc(frames, PAGE);
	CHECK(at != NULL && other != NULL && at != other);
	CHECK(at[0] == 0 && at[size - 1] == 0);
	at[size - 1] = 1;
	CHECK(reader_get(at + size - 1) == 1);
	codec_put(at + size - 1, 2);
	CHECK(reader_get(at + size - 1) == 2 && at[size - 1] == 2);
	codec_put(other, 3);
	CHECK(other[0] == 3 && reader_get(other) == 3);
	/* Whoever may not write has nothing to give or take. */
	CHECK(reader_alloc(frames, PAGE) == NULL && stranger_alloc(frames, PAGE) == NULL);
	CHECK(codec_free(others, at, PAGE) == -EINVAL);
	/* app is a guest of queue. */
	char *queued = cubicle_window_alloc(others, 1);
	codec_put(queued, 4);
	CHECK(queued != NULL && queued[0] == 4 && codec_free(others, queued, 1) == 0);
	/* A limit, which is app's own. */
	CHECK(cubicle_window_alloc(frames, 65L << 20) == NULL);
	CHECK(cubicle_window_alloc(frames, 0) == NULL);
	CHECK(cubicle_window_alloc(frames, (size_t)-1) == NULL);
	CHECK(cubicle_window_alloc(frames, 1L << 40) == NULL);
	char *large = cubicle_window_alloc(frames, 40L << 20);
	CHECK(large != NULL && cubicle_window_alloc(frames, 40L << 20) == NULL);
	large[0] = 1;
	CHECK(cubicle_window_free(frames, large, 40L << 20) == 0);
	/* What is none. */
	int none[] = { -1, 0, 3, frames + 2, 1000 };
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++) {
		CHECK(cubicle_window_alloc(none[i], PAGE) == NULL);
		CHECK(cubicle_window_free(none[i], at, PAGE) == -ESRCH);
	}
	CHECK(cubicle_window_free(frames, at, 0) == -EINVAL);
	CHECK(cubicle_window_free(frames, at + 1, PAGE) == -EINVAL);
	CHECK(cubicle_window_free(frames, at, (size_t)-1) == -EINVAL);
	CHECK(cubicle_window_free(frames, at, 100 * PAGE) == -EINVAL);
	CHECK(cubicle_window_free(frames, frame_pool, PAGE) == -EINVAL);
	CHECK(cubicle_window_free(frames, &private, 1) == -EINVAL);
	CHECK(cubicle_window_free(frames, NULL, PAGE) == -EINVAL);
	/* Nor can memory calls change it, nor other windows hold it. */
	CHECK(munmap(at, PAGE) == -1 && mprotect(at, PAGE, PROT_READ) == -1);
	CHECK(madvise(at, PAGE, MADV_DONTNEED) == -1 && mprotect(frame_pool, PAGE, PROT_READ) == -1);
	int window = cubicle_window_init();
	CHECK(cubicle_window_add(window, at, PAGE) == -EPERM);
	CHECK(cubicle_window_add(window, frame_pool, PAGE) == -EPERM);
	CHECK(cubicle_window_open(window, frames) == -ESRCH);
	CHECK(cubicle_window_destroy(window) == 0);
	CHECK(cubicle_window_free(frames, at, size) == 0 && codec_free(frames, other, PAGE) == 0);
	CHECK(codec_free(frames, other, PAGE) == -EINVAL);
	/* What was there before is gone. */
	at = cubicle_window_alloc(frames, size);
	CHECK(at[size - 1] == 0 && cubicle_window_free(frames, at, size) == 0);
}

static void system_calls(void)
{
	int ends[2];
	CHECK(pipe(ends) == 0 && write(ends[1], "0123", 4) == 4);
	CHECK(reader_read(ends[0], frame_pool, 2) == -EFAULT);
	CHECK(codec_read(ends[0], frame_pool, 4) == 4 && memcmp(frame_pool, "0123", 4) == 0);
	CHECK(stranger_write(ends[1], frame_pool, 4) == -EFAULT);
	CHECK(reader_write(ends[1], frame_pool, 4) == 4);
	CHECK(read(ends[0], frame_pool + 4, 4) == 4 && memcmp(frame_pool + 4, "0123", 4) == 0);
	/* Copied for a call, because app may read it. */
	CHECK(stranger_sum(frame_pool, 4) == '0' + '1' + '2' + '3');
}

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
#define IS(name) (strcmp(how, name) == 0)
	frames = cubicle_find("frames");
	others = cubicle_find("queue");
	CHECK(frames >= 4 && others >= 4 && frames != others);
	if (IS("use")) {
		/* Everybody has been entered once. */
		codec_fill(0);
		CHECK(frame_count-- == 8 && reader_sum() == 0);
		long before[] = { last_fault(), codec_faults(), reader_faults() };
		variables();
		heap();
		system_calls();
		CHECK(before[0] == last_fault() && before[1] == codec_faults() && before[2] == reader_faults());
		/* With the other kind of window there is one: so it would have been seen. */
		static char touched[PAGE] __attribute__((aligned(PAGE)));
		int window = cubicle_window_init();
		CHECK(cubicle_window_add(window, touched, 1) == 0);
		CHECK(cubicle_window_open(window, cubicle_find("reader")) == 0);
		CHECK(reader_get(touched) == 0 && before[2] != reader_faults());
	}
	char *at = cubicle_window_alloc(frames, PAGE);
	if (IS("reader-writes"))
		reader_counts(1);
	if (IS("reader-writes-heap"))
		reader_put(at, 1);
	if (IS("stranger-reads"))
		stranger_get((char *)&frame_count);
	if (IS("stranger-reads-heap"))
		stranger_get(at);
	if (IS("reader-reads-the-other"))
		reader_get((char *)&queue);
	if (IS("freed")) {
		codec_put(at, 1);
		CHECK(cubicle_window_free(frames, at, PAGE) == 0);
		codec_put(at, 1);
	}
	puts("done");
}

/* What lives in the two windows, and what the cubicles do with it. */
#include <stddef.h>
#include <stdint.h>

/* Window frames: of app; codec may write it, reader may read it. */
extern unsigned char frame_pool[3 * 4096];
extern int frame_count;
extern const char *frame_names[2];

/* Window queue: of codec; app may write it. */
struct queue {
	int *first;
	int items[1000];
	int *last;
};
extern struct queue queue;

void codec_fill(int value);
void codec_push(int value);
void codec_put(char *at, int value);
void *codec_alloc(int window, size_t size);
int codec_free(int window, void *at, size_t size);
long codec_read(int file, void *at, size_t size);
long codec_faults(void);

long reader_sum(void);
int reader_count(void);
int reader_get(const char *at);
void reader_put(char *at, int value);
void reader_counts(int value);
void *reader_alloc(int window, size_t size);
long reader_read(int file, void *at, size_t size);
long reader_write(int file, const void *at, size_t size);
long reader_faults(void);

int stranger_get(const char *at);
long stranger_write(int file, const void *at, size_t size);
long stranger_sum(const unsigned char *at, size_t size);
void *stranger_alloc(int window, size_t size);

/* Where the monitor last mended a fault of the caller's: in its frame, which begins
 * its arena, the instruction that started over. */
static inline long last_fault(void)
{
	const volatile long *frame = (long *)((uintptr_t)__builtin_frame_address(0) & ~((1L << 36) - 1));
	return frame[25];
}

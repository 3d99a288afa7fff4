#include <stddef.h>

struct stream {
	const unsigned char *next_in;
	unsigned avail_in;
	unsigned char *next_out;
	unsigned avail_out;
	const char *message;
	int level;
	int after_level;
	void (*hook)(struct stream *);
	struct stream *self;
};

struct vector { void *base; size_t length, used; };

struct message {
	struct vector *parts;
	int count;
	struct { const char *text; short size; } name;
};

struct link { struct link *next; int number; struct link *back; };

int inflate(struct stream *strm);
long gather(const struct vector *vectors, int count);
long scatter(struct vector *vectors, int count);
long messages(struct message *list, int count, unsigned unit);
long words(char **words, const int *count);
int longest(const char *const *words, int count, const char **found);
int split(const char *text, const char **tail, const char **parts, int room);
int relink(struct link *ring, int count);
int text_or_bytes(const char *data, int length);
int same(const char *left, const void *right);
int replaced(void (*free)(void *), short number, int c, int d, int e, int f, long g);

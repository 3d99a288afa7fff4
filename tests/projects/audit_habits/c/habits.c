/* One function for each way in which C libraries take and give memory. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Fills as much as it likes, and says how much. */
size_t habit_read(void *buffer, size_t size)
{
    size_t filled = size < 5 ? size : size / 2;
    for (size_t i = 0; i < filled; i++)
        ((unsigned char *)buffer)[i] = (unsigned char)(i * 7);
    return filled;
}

/* The length goes in as the room and comes back as what was written. */
int habit_pack(unsigned char *dest, unsigned long *dest_len,
               const unsigned char *source, unsigned long source_len)
{
    unsigned long written = 0;
    for (unsigned long i = 0; i < source_len; i++)
        if (source[i] != ' ' && written < *dest_len)
            dest[written++] = source[i];
    *dest_len = written;
    return 0;
}

/* An array, counted in elements. */
long habit_sum(const int *values, int count)
{
    long sum = 0;
    for (int i = 0; i < count; i++)
        sum += values[i];
    return sum;
}

/* Text up to its zero byte. */
unsigned habit_vowels(const char *text)
{
    unsigned found = 0;
    for (; *text; text++)
        found += strchr("aeiou", *text) != NULL;
    return found;
}

/* Its own memory, for the caller to read. */
const char *habit_name(int number)
{
    static char name[16];
    memcpy(name, "number ?", 9);
    name[7] = (char)('0' + number % 10);
    return name;
}

/* The caller's function, with a word of the caller's own. */
void habit_sort(int *values, size_t count,
                int (*compare)(const int *, const int *, void *), void *context)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0; j--) {
            int left = values[j - 1], right = values[j];
            if (compare(&left, &right, context) <= 0)
                break;
            values[j - 1] = right;
            values[j] = left;
        }
}

/* An object whose address it remembers. */
struct habit {
    unsigned steps;
    unsigned total;
    void *state;
};

struct state {
    struct habit *owner;
    unsigned secret;
};

int habit_open(struct habit *habit)
{
    struct state *state = malloc(sizeof *state);
    state->owner = habit;
    state->secret = 3;
    habit->steps = habit->total = 0;
    habit->state = state;
    return 0;
}

int habit_step(struct habit *habit, unsigned by)
{
    struct state *state = habit->state;
    if (state->owner != habit)
        return -1;
    habit->steps++;
    habit->total += by * state->secret;
    return 0;
}

int habit_close(struct habit *habit)
{
    struct state *state = habit->state;
    if (state->owner != habit)
        return -1;
    free(state);
    habit->state = NULL;
    return 0;
}

/* The kernel touches it, not the library. */
long habit_say(const char *text, size_t length)
{
    return write(1, text, length);
}

/* A decoder that writes where it should not. Built without a libc. */
extern void (*const report_row)(int);

char row[16];
static const char table[4] = "abc";

static void decode_row(long *out, long value)
{
    *out = value; /* the bad write */
}

int decode(long *out, long value)
{
    decode_row(out, value + table[0]);
    return 0;
}

void notify(int number)
{
    report_row(number); /* the way back */
}

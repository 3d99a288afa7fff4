// Does what its first argument says, for the tests of the emulated machine.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int copy(FILE *from, FILE *to)
{
    static char piece[65536];
    size_t length;
    while ((length = fread(piece, 1, sizeof piece, from)) > 0)
        if (fwrite(piece, 1, length, to) != length)
            return 1;
    return fflush(to) != 0;
}

int main(int count, char **words, char **environment)
{
    const char *what = count > 1 ? words[1] : "";
    if (!strcmp(what, "exit"))
        return atoi(words[2]);
    if (!strcmp(what, "die"))
        return raise(atoi(words[2]));
    if (!strcmp(what, "echo"))
        return copy(stdin, stdout);
    if (!strcmp(what, "show")) {
        for (int index = 1; index < count; index++)
            printf("[%s]", words[index]);
        for (char **each = environment; *each; each++)
            printf("{%s}", *each);
        fprintf(stderr, "to stderr");
        return 0;
    }
    if (!strcmp(what, "hang")) {
        // A child that keeps the pipes open must not keep the machine waiting.
        printf("before");
        fflush(stdout);
        fork();
        for (;;)
            pause();
    }
    if (!strcmp(what, "flood")) {
        // More output than anybody keeps; it must still get to its end.
        static char piece[65536];
        for (int index = 0; index < 66 * 16; index++)
            if (write(index % 2 ? 2 : 1, piece, sizeof piece) != sizeof piece)
                return 1;
        return 0;
    }
    if (!strcmp(what, "files")) {
        FILE *from = fopen("given/deep.bin", "rb"), *to = fopen("/tmp/made", "wb");
        FILE *left = fopen("left", "r");
        if (!from || !to || copy(from, to))
            return 1;
        fclose(to);
        // Nothing may be left from an earlier job.
        if (left)
            return 2;
        left = fopen("left", "w");
        return left && fclose(left) == 0 ? 0 : 3;
    }
    if (!strcmp(what, "panic")) {
        FILE *trigger = fopen("/proc/sysrq-trigger", "w");
        printf("last words");
        fflush(stdout);
        return trigger && fputc('c', trigger) == 'c' && fclose(trigger) == 0 ? 0 : 1;
    }
    return 99;
}

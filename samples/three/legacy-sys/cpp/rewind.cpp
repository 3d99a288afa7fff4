// setjmp and longjmp, kept apart from everything that has destructors.
#include "legacy.h"

#include <csetjmp>
#include <cstdio>

static thread_local jmp_buf start;

[[noreturn]] static void lap(int number)
{
    char text[32];
    std::snprintf(text, sizeof text, "lap %d", number);
    app_note(text); // A call into another cubicle, over before the jump.
    std::longjmp(start, 1);
}

int legacy_rewind(int laps)
{
    volatile int done = 0;

    if (setjmp(start) != 0)
        done = done + 1;
    if (done < laps)
        lap(done + 1);
    return done;
}

#include "legacy.h"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

// One of each kind: initialised before main, and when a thread first comes here.
const std::string greeting = std::string("good ") + "day";
thread_local uint32_t calls;
thread_local std::vector<std::string> diary{"opened"};

// Each libc has a buffer of its own, so what is printed is flushed at once to
// keep the order of the lines.
__attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    std::vprintf(format, arguments);
    va_end(arguments);
    std::fflush(stdout);
}

uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t product = (a ^ b) * UINT64_C(0x9e3779b97f4a7c15);
    return product ^ product >> 29;
}

// Counts the destructors that run while an exception passes.
struct Witness {
    int &seen;
    std::string padding = std::string(100, 'x');
    ~Witness() { seen++; }
};

void dive(uint32_t depth, int &seen)
{
    Witness witness{seen};
    if (depth == 0)
        throw std::out_of_range("the bottom");
    dive(depth - 1, seen);
}

} // namespace

uint64_t legacy_descend(uint32_t depth, uint64_t sum, bool spoken)
{
    calls++;
    if (spoken)
        say("legacy: depth %u\n", depth);
    std::vector<uint64_t> kept{sum, depth, 3};
    uint64_t below = depth == 0 ? sum : app_descend(depth - 1, mix(sum, 3), spoken);
    try {
        if (below % 3 == 0)
            throw std::runtime_error(std::to_string(below));
    } catch (const std::exception &exception) {
        if (spoken)
            say("legacy: caught an exception on the way up at depth %u\n", depth);
        below = std::stoull(exception.what()) / 3;
    }
    return std::accumulate(kept.begin(), kept.end(), below, mix);
}

size_t legacy_greet(const char *name)
{
    calls++;
    std::string text = greeting + ", " + name;
    diary.push_back(text);
    say("legacy: %s (entry %zu of the diary)\n", text.c_str(), diary.size());
    app_note(text.c_str());
    return text.size();
}

int legacy_number(const char *text, long *value)
{
    char *end;

    calls++;
    errno = 0;
    long number = std::strtol(text, &end, 10);
    if (errno != 0)
        return -1;
    if (end == text || *end != '\0') {
        errno = EINVAL;
        return -1;
    }
    *value = number;
    return 0;
}

void legacy_sort(int64_t *values, size_t length)
{
    calls++;
    std::sort(values, values + length);
}

int64_t legacy_sum(const int64_t *values, size_t length)
{
    calls++;
    return std::accumulate(values, values + length, INT64_C(0));
}

int legacy_throw(uint32_t depth)
{
    int seen = 0;

    calls++;
    try {
        dive(depth, seen);
    } catch (const std::exception &exception) {
        say("legacy: caught \"%s\" after %d destructors\n", exception.what(), seen);
    }
    return seen;
}

uint32_t legacy_calls(void)
{
    return calls;
}

/* What every file of this folder is made of.
 *
 * A file is compiled twice. With -DDEFINITION it defines `f`, and its debug
 * information is what the tool reads. Without, it calls an `f` that dump.S
 * provides, which keeps a copy of every register and of the stack as it found
 * them, and returns with a known pattern in every result register. It prints
 * the arguments' bytes, the copies and the result's bytes, and the test
 * compares them with the places that the tool predicts.
 */
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
#define EXTERN extern "C"
#else
#define EXTERN extern
#endif

#ifdef DEFINITION
#define FUNCTION(type, parameters) \
    EXTERN type f parameters;      \
    type f parameters              \
    {                              \
        static type result;        \
        return result;             \
    }
#define PROCEDURE(parameters)  \
    EXTERN void f parameters;  \
    void f parameters          \
    {                          \
    }
#define CALLER static __attribute__((unused)) int caller(void)
#else
#define FUNCTION(type, parameters) EXTERN type f parameters;
#define PROCEDURE(parameters) EXTERN void f parameters;
#define CALLER int main(void)
#endif

/* What dump.S keeps: al, six integer registers, eight SSE registers of 16
 * bytes, and 64 words of stack above the return address. */
EXTERN unsigned char dump[8 + 48 + 128 + 512];

static int arguments;

static inline void print_bytes(const char *what, const void *bytes, size_t size)
{
    printf("%s ", what);
    for (size_t i = 0; i < size; i++)
        printf("%02x", ((const unsigned char *)bytes)[i]);
    printf("\n");
}

/* Gives every byte of every argument another value. */
static inline void fill(void *argument, size_t size)
{
    arguments++;
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)argument)[i] = (unsigned char)(arguments * 23 + i * 7 + 1);
    print_bytes("argument", argument, size);
}

#define ARGUMENT(type, name) \
    type name;               \
    fill((void *)&name, sizeof name)

#define CALL(call) \
    call;          \
    print_bytes("dump", dump, sizeof dump)

/* The call is the result's initialiser: that is how C++ returns classes. */
#define RESULT(type, call)                   \
    type result = call;                      \
    print_bytes("dump", dump, sizeof dump);  \
    print_bytes("result", (void *)&result, sizeof result)

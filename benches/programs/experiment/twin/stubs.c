/* For each function of the interface: a stub that sends a request, if it belongs to another
 * process, or what serves requests, if it is here. Which process has which part is
 * said by macros: PROCESS_RAMFS=2, and PROCESS for this one. */

#include "transport.h"

#include "alloc.h"
#include "boot.h"
#include "clock.h"
#include "plat.h"
#include "ramfs.h"
#include "vfscore.h"

#define P0(PART, NAME) FUNCTION_##NAME,
#define P1(PART, NAME, A) FUNCTION_##NAME,
#define F0(PART, RESULT, NAME) FUNCTION_##NAME,
#define F1(PART, RESULT, NAME, A) FUNCTION_##NAME,
#define F2(PART, RESULT, NAME, A, B) FUNCTION_##NAME,
#define F3(PART, RESULT, NAME, A, B, C) FUNCTION_##NAME,
#define F4(PART, RESULT, NAME, A, B, C, D) FUNCTION_##NAME,
enum {
#include "interface.h"
	FUNCTIONS
};
#undef P0
#undef P1
#undef F0
#undef F1
#undef F2
#undef F3
#undef F4

/* Weak: where the function is in this process, that one is linked, and the stub never runs. */
#define STUB(RESULT, NAME, ...) __attribute__((weak)) RESULT NAME(__VA_ARGS__)
#define ASK(PART, NAME, ...) transport_call(PROCESS_##PART, FUNCTION_##NAME, (long[ARGUMENTS]){ __VA_ARGS__ })
#define SERVE(NAME) static long serve_##NAME(const long values[ARGUMENTS])

#define P0(PART, NAME)                                                                                 \
	STUB(void, NAME, void) { ASK(PART, NAME, 0); }                                                 \
	SERVE(NAME) { return (void)values, NAME(), 0; }
#define P1(PART, NAME, A)                                                                              \
	STUB(void, NAME, A a) { ASK(PART, NAME, (long)a); }                                            \
	SERVE(NAME) { return NAME((A)values[0]), 0; }
#define F0(PART, RESULT, NAME)                                                                         \
	STUB(RESULT, NAME, void) { return (RESULT)ASK(PART, NAME, 0); }                                \
	SERVE(NAME) { return (void)values, (long)NAME(); }
#define F1(PART, RESULT, NAME, A)                                                                      \
	STUB(RESULT, NAME, A a) { return (RESULT)ASK(PART, NAME, (long)a); }                           \
	SERVE(NAME) { return (long)NAME((A)values[0]); }
#define F2(PART, RESULT, NAME, A, B)                                                                   \
	STUB(RESULT, NAME, A a, B b) { return (RESULT)ASK(PART, NAME, (long)a, (long)b); }             \
	SERVE(NAME) { return (long)NAME((A)values[0], (B)values[1]); }
#define F3(PART, RESULT, NAME, A, B, C)                                                                \
	STUB(RESULT, NAME, A a, B b, C c) { return (RESULT)ASK(PART, NAME, (long)a, (long)b, (long)c); } \
	SERVE(NAME) { return (long)NAME((A)values[0], (B)values[1], (C)values[2]); }
#define F4(PART, RESULT, NAME, A, B, C, D)                                                             \
	STUB(RESULT, NAME, A a, B b, C c, D d)                                                         \
	{                                                                                              \
		return (RESULT)ASK(PART, NAME, (long)a, (long)b, (long)c, (long)d);                    \
	}                                                                                              \
	SERVE(NAME) { return (long)NAME((A)values[0], (B)values[1], (C)values[2], (D)values[3]); }
#include "interface.h"
#undef P0
#undef P1
#undef F0
#undef F1
#undef F2
#undef F3
#undef F4

#define ENTRY(PART, NAME) [FUNCTION_##NAME] = PROCESS_##PART == PROCESS ? serve_##NAME : (served)0,
#define P0(PART, NAME) ENTRY(PART, NAME)
#define P1(PART, NAME, A) ENTRY(PART, NAME)
#define F0(PART, RESULT, NAME) ENTRY(PART, NAME)
#define F1(PART, RESULT, NAME, A) ENTRY(PART, NAME)
#define F2(PART, RESULT, NAME, A, B) ENTRY(PART, NAME)
#define F3(PART, RESULT, NAME, A, B, C) ENTRY(PART, NAME)
#define F4(PART, RESULT, NAME, A, B, C, D) ENTRY(PART, NAME)
const served transport_table[] = {
#include "interface.h"
};
const unsigned transport_functions = FUNCTIONS;

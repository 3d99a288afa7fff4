/* Messages between the parts of the twin: each part is a process, and has one inbox. A call is a
 * request into the callee's inbox and a reply into the caller's. Whoever waits for a reply serves
 * requests meanwhile, so parts may call each other back.
 */

#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stddef.h>

#define ARGUMENTS 6

/* A function that can be asked for: it takes its arguments from the message. */
typedef long (*served)(const long arguments[ARGUMENTS]);

/* What this part serves, by the number of the function; NULL for functions of others. */
extern const served transport_table[];
extern const unsigned transport_functions;

/* Starts the other parts, which are executables beside this one, and makes the memory that all
 * share. Called in the part that has `main`, before anything else. */
void transport_start(const char *const parts[], unsigned number);

/* In every other part: serves until the first part ends. Never returns. */
void transport_serve(void);

/* Calls a function of another part. */
long transport_call(unsigned part, unsigned function, const long arguments[ARGUMENTS]);

/* Memory at the same address in all parts; whole pages of zeroes. NULL if there is no more. */
void *transport_memory(size_t size);
void transport_memory_free(void *memory, size_t size);

#endif

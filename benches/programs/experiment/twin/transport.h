/* Messages between the processes of the twin, each of which has one inbox. A call is a
 * request into the callee's inbox and a reply into the caller's. Whoever waits for a reply serves
 * requests meanwhile, so that it may be called back.
 */

#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stddef.h>

#define ARGUMENTS 6

/* A function that can be asked for: it takes its arguments from the message. */
typedef long (*served)(const long arguments[ARGUMENTS]);

/* What this process serves, by the number of the function; NULL for functions of others. */
extern const served transport_table[];
extern const unsigned transport_functions;

/* In the process that has `main`, before anything else: makes the memory that all share, and starts
 * the others, which are executables beside this one called `part-1`, `part-2` and so on. */
void transport_start(unsigned processes);

/* In every other process: serves until the first one ends. */
_Noreturn void transport_serve(unsigned process);

/* Calls a function of another process. */
long transport_call(unsigned process, unsigned function, const long arguments[ARGUMENTS]);

/* Memory at the same address in all processes; whole pages of zeroes. NULL if there is no more. */
void *transport_memory(size_t size);

#endif

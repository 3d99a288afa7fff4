/* SQLite on the library OS. */

#ifndef SQLITE_OS_H
#define SQLITE_OS_H

/* Boots the library OS and makes it SQLite's, and this program's standard output, before any of
 * SQLite's functions is used. Ends the program if that fails. */
void sqlite_os_start(void);

/* Writes how often which part has called which: a line "calls CALLER CALLEE NUMBER" for each. */
void sqlite_os_print_calls(void);

/* Writes how often a page in a window has changed hands: a line "faults NUMBER". */
void sqlite_os_print_faults(void);

#endif

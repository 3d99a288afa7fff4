/* The program's own pages in the pool of buffers, which is all of its memory that the library OS can
 * touch. */

#ifndef BUFFERS_H
#define BUFFERS_H

#include "../os/os.h"

/* The calls that the program makes: see os.h. */
extern long calls[PARTS];

/* What is not in the pool goes through here. */
#define BOUNCE (16 * PAGE)
extern char *bounce;

/* A path, and a line of output, on their way. */
extern char *path_page;
extern char *console_page;

int in_buffers(const void *memory, long size);

/* SQLite's VFS, on the library OS. */
struct sqlite3_vfs *os_vfs(void);

#endif

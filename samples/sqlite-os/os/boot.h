/* Boot: starts the other parts in order. */

#ifndef BOOT_H
#define BOOT_H

/* 0, or a negative error. */
long boot_start(void);

long boot_calls(int callee);

#endif

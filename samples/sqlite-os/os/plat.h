/* The platform: console and random numbers. */

#ifndef PLAT_H
#define PLAT_H

void plat_start(void);

/* Writes a text that lies in the pool of buffers. The bytes written, or a negative error. */
long plat_console(const char *text, long size);

/* 64 random bits. */
long plat_random(void);

long plat_calls(int callee);

#endif

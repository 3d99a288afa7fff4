/* What all parts of the library OS know. */

#ifndef OS_H
#define OS_H

#define PAGE 4096L

/* The parts, as cubicles, processes, or objects of one image. */
enum part { APP, VFSCORE, RAMFS, ALLOC, PLAT, TIME, BOOT, PARTS };

/* Every part counts the calls that it makes: CALL(RAMFS, ramfs_size(node)). The table is
 * `calls`, which PART_CALLS defines together with the function that reads it. */
#define CALL(PART, EXPRESSION) (calls[PART]++, (EXPRESSION))

#define PART_CALLS(NAME)                                                                               \
	static long calls[PARTS];                                                                      \
	long NAME##_calls(int callee) { return callee >= 0 && callee < PARTS ? calls[callee] : 0; }

#endif

/* The allocator: pages, of which the others' pools grow. */

#ifndef ALLOC_H
#define ALLOC_H

/* What buffers and paths of the program lie in: the program, the VFS core, the file system and
 * the console use it. What files consist of: only the file system uses it. */
enum pool { BUFFERS, BLOCKS, POOLS };

void alloc_start(void);

/* Neighbouring pages, with whatever their last user left in them; NULL if there are no more. */
void *alloc_pages(int pool, long count);

/* Gives pages back. -EINVAL: they were not given out. */
long alloc_free(int pool, void *pages, long count);

/* Where a pool begins and how many bytes it can have: what its users need to judge pointers. */
void *alloc_base(int pool);
long alloc_size(int pool);

/* How often a page went to the file system or back by a fault. */
long alloc_faults(void);

long alloc_calls(int callee);

#endif

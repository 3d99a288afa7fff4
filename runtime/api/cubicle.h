/* Windows: memory that its owner opens for other cubicles.
 *
 *     int window = cubicle_window_init();
 *     cubicle_window_add(window, frame, size);
 *     cubicle_window_open(window, cubicle_find("codec"));
 *     codec_decode(frame, size);
 *     cubicle_window_destroy(window);
 *
 * A window holds whole pages: every page with a byte of what is added, so whatever
 * else lies there is open, too. Align what matters, or allocate it with
 * aligned_alloc(4096, ...). Access is given and taken back page by page, when
 * somebody touches one. Closing is causal: a guest may go on with a page that it
 * has until the owner touches it; cubicle_window_revoke() does not wait.
 *
 * Each function returns 0 or a negative error number of <errno.h>, and those that
 * make or find something its number. In a program that is built without cubicles
 * the kernel knows none of these calls; then all of them do nothing and return 0.
 *
 * The numbers are those of runtime/abi/src/calls.rs.
 */
#ifndef CUBICLE_H
#define CUBICLE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The number stands right before the instruction, where the tool finds it. */
#define CUBICLE_CALL_(number, first, second, third)                                                          \
	long cubicle_result_;                                                                                  \
	__asm__ volatile("movl %1, %%eax\n\tsyscall"                                                           \
			 : "=&a"(cubicle_result_)                                                              \
			 : "i"(number), "D"((long)(first)), "S"((long)(second)), "d"((long)(third))            \
			 : "rcx", "r11", "memory");                                                            \
	return cubicle_result_ == -38 /* -ENOSYS */ ? 0 : (int)cubicle_result_

/* The number of the cubicle or keyed window with this name.
 * -ENOENT: there is none. */
static inline int cubicle_find(const char *name)
{
	CUBICLE_CALL_(0x43550010, name, __builtin_strlen(name), 0);
}

/* A new window, without memory and open to nobody.
 * -EMFILE: this cubicle has as many as there can be, 256. */
static inline int cubicle_window_init(void)
{
	CUBICLE_CALL_(0x43550020, 0, 0, 0);
}

/* Puts memory into a window.
 * -EBADF: no such window. -EINVAL: no bytes. -EPERM: memory of another cubicle that
 * no window lends to this one. -EFAULT: not mapped, or constants, which all can read
 * anyway. -EACCES: a stack. -EEXIST: something was added at this address already.
 * -ENOSPC: too much was added, in too many pieces. */
static inline int cubicle_window_add(int window, const void *memory, size_t size)
{
	CUBICLE_CALL_(0x43550021, window, memory, size);
}

/* Takes out of a window what was added at this address.
 * -EBADF, -ENOENT. */
static inline int cubicle_window_remove(int window, const void *memory)
{
	CUBICLE_CALL_(0x43550022, window, memory, 0);
}

/* Opens a window to a cubicle, for reading and writing. If it was open for reading
 * only, it is wider now.
 * -EBADF. -ESRCH: no such cubicle. -EINVAL: the caller itself. */
static inline int cubicle_window_open(int window, int cubicle)
{
	CUBICLE_CALL_(0x43550023, window, cubicle, 3);
}

/* Opens a window to a cubicle for reading; errors as before. */
static inline int cubicle_window_open_read_only(int window, int cubicle)
{
	CUBICLE_CALL_(0x43550023, window, cubicle, 1);
}

/* Closes a window to a cubicle: it gets no further page.
 * -EBADF, -ESRCH, -EINVAL as before. -ENOENT: it was not open to it. */
static inline int cubicle_window_close(int window, int cubicle)
{
	CUBICLE_CALL_(0x43550024, window, cubicle, 0);
}

/* Closes a window to everybody.
 * -EBADF. */
static inline int cubicle_window_close_all(int window)
{
	CUBICLE_CALL_(0x43550025, window, 0, 0);
}

/* Closes a window to a cubicle and takes back at once whatever it has of it, also
 * after cubicle_window_close(), and from those it lent it to.
 * -EBADF, -ESRCH, -EINVAL. */
static inline int cubicle_window_revoke(int window, int cubicle)
{
	CUBICLE_CALL_(0x43550026, window, cubicle, 0);
}

/* Closes and forgets a window, with all memory in it.
 * -EBADF. */
static inline int cubicle_window_destroy(int window)
{
	CUBICLE_CALL_(0x43550027, window, 0, 0);
}

/* How often somebody's touch has moved a page of a window, up to 2^31 - 1: what a
 * window costs is a page fault each time. A keyed window never takes one.
 * -EBADF. */
static inline int cubicle_window_faults(int window)
{
	CUBICLE_CALL_(0x43550028, window, 0, 0);
}

/* Memory in the keyed window with this number: whole pages of zeroes, which its owner
 * and guests use as the manifest says, without ever taking a fault. NULL: there is no
 * such window, this cubicle may not write in it, or there is no room. A plain build
 * takes anonymous memory. */
static inline void *cubicle_window_alloc(int window, size_t size)
{
	long result;
	__asm__ volatile("movl %1, %%eax\n\tsyscall"
			 : "=&a"(result)
			 : "i"(0x43550030), "D"((long)window), "S"(size)
			 : "rcx", "r11", "memory");
	if (result == -38 /* -ENOSYS */)
		/* mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) */
		__asm__ volatile("movl $0x22, %%r10d\n\tmovq $-1, %%r8\n\txorl %%r9d, %%r9d\n\tsyscall"
				 : "=a"(result)
				 : "0"(9L), "D"(0L), "S"(size), "d"(3L)
				 : "rcx", "r8", "r9", "r10", "r11", "memory");
	return result < 0 ? NULL : (void *)result;
}

/* Gives such memory back: what was allocated, or whole pages of it.
 * -ESRCH: no such window. -EPERM: this cubicle may not write in it. -EINVAL: this is
 * not allocated. */
static inline int cubicle_window_free(int window, void *memory, size_t size)
{
	long result;
	__asm__ volatile("movl %1, %%eax\n\tsyscall"
			 : "=&a"(result)
			 : "i"(0x43550031), "D"((long)window), "S"((long)memory), "d"(size)
			 : "rcx", "r11", "memory");
	if (result == -38 /* -ENOSYS: munmap */)
		__asm__ volatile("syscall"
				 : "=a"(result)
				 : "0"(11L), "D"((long)memory), "S"(size)
				 : "rcx", "r11", "memory");
	return (int)result;
}

#ifdef __cplusplus
}
#endif

#endif

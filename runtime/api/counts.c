/* Linked into a program that is to be measured, in one piece: it counts calls between
 * what will be cubicles. The counters lie in a file, so that nothing is lost, however
 * the program ends, and children count in it, too.
 */

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Whole pages, made for the program; what counts in them lies beside them. */
extern char cubicle_counts[];
extern const size_t cubicle_counts_size;

__attribute__((constructor(101))) static void map_counts(void)
{
	const char *path = getenv("CUBICLE_COUNTS");
	int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (file < 0)
		return;
	if (mmap(cubicle_counts, cubicle_counts_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) ==
	    MAP_FAILED)
		abort();
	close(file);
}

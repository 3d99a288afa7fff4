#include <fcntl.h>

/* A system call that the tool leaves as it is, since too little stands before
 * it to patch; and one in the form that every libc uses. */
__attribute__((naked)) static void bare(void) { __asm__("syscall\n ret"); }
__attribute__((naked)) static void usual(void) { __asm__("mov $2, %eax\n syscall\n ret"); }

static int opened = -1;

int lib_can_open(void)
{
	if (opened == -1)
		opened = open("/", O_RDONLY);
	return opened >= 0;
}

long lib_address(int what) { return what == 0 ? (long)bare : what == 1 ? (long)usual : (long)lib_can_open; }

//! System calls as no libc makes them: whoever's instruction it is, the one who
//! executes it is asked for its grants.
//@ run: own
//@ stdout: written directly
//@ stdout: done
//@ run: grants
//@ stdout: app EPERM
//@ stdout: done
//@ run: descriptor
//@ stdout: refused EPERM
//@ without: descriptors
//@ then: stdout: closed what lib had opened
//@ run: in-text-of-other
//@ stdout: app EPERM
//@ stdout: done
//@ run: stub-of-other
//@ violation: kind=access cubicle=app owner=lib place=frame access=write
//@ run: int80
//@ violation: kind=system-call cubicle=app signal=31
//@ run: call-directly
//@ violation: kind=access cubicle=app owner=lib place=data access=read

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

long lib_address(int);
int lib_can_open(void);

static long here(long number, long a, long b, long c)
{
	long result;
	/* Not the form that the tool patches: something stands before it. */
	__asm__ volatile("nop\n nop\n syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c)
		: "rcx", "r11", "memory");
	return result;
}

static long there(long at, long number, long a, long b, long c)
{
	long result;
	__asm__ volatile("call *%1" : "=a"(result) : "r"(at), "a"(number), "D"(a), "S"(b), "d"(c)
		: "rcx", "r11", "memory");
	return result;
}

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
	CHECK(lib_can_open());
	if (strcmp(how, "own") == 0) {
		CHECK(here(SYS_write, 1, (long)"written directly\n", 17) == 17);
		/* Registers survive it, but for what the kernel itself changes. */
		long rbx = 1, r12 = 2, xmm;
		__asm__ volatile("mov $7, %%rbx\n mov $8, %%r12\n mov $9, %%rax\n movq %%rax, %%xmm9\n mov $39, %%eax\n syscall\n"
			"mov %%rbx, %0\n mov %%r12, %1\n movq %%xmm9, %2" : "=r"(rbx), "=r"(r12), "=r"(xmm)
			:: "rax", "rbx", "rcx", "r11", "r12", "xmm9", "memory");
		CHECK(rbx == 7 && r12 == 8 && xmm == 9);
		CHECK(here(SYS_getpid, 0, 0, 0) == getpid());
	}
	if (strcmp(how, "grants") == 0) {
		CHECK(here(SYS_open, (long)"/", O_RDONLY, 0) == -EPERM);
		CHECK(open("/", O_RDONLY) == -1 && errno == EPERM);
		CHECK(access("/", R_OK) == -1 && errno == EPERM);
		CHECK(dup(0) == -1 && errno == EPERM);
		/* lib has opened 3. */
		char byte;
		CHECK(read(3, &byte, 1) == -1 && errno == EPERM);
		CHECK(write(3, "x", 1) == -1 && errno == EPERM);
		CHECK(lseek(3, 0, SEEK_SET) == -1 && errno == EPERM);
		CHECK(close(3) == -1 && errno == EPERM);
		CHECK(fcntl(3, F_GETFD) == -1 && errno == EPERM);
		CHECK(here(SYS_read, -1, (long)&byte, 1) == -EPERM);
		CHECK(here(SYS_newfstatat, 0, (long)"/", (long)malloc(200)) == -EPERM);
		puts("app EPERM");
	}
	if (strcmp(how, "descriptor") == 0) {
		puts(close(3) == 0 ? "closed what lib had opened" : errno == EPERM ? "refused EPERM" : "otherwise");
		return 0;
	}
	if (strcmp(how, "in-text-of-other") == 0)
		puts(there(lib_address(0), SYS_open, (long)"/", O_RDONLY, 0) == -EPERM ? "app EPERM" : "app may");
	if (strcmp(how, "stub-of-other") == 0)
		puts(there(lib_address(1), SYS_open, (long)"/", O_RDONLY, 0) == -EPERM ? "app EPERM" : "app may");
	if (strcmp(how, "int80") == 0) {
		int result = 20;
		__asm__ volatile("int $0x80" : "+a"(result)::"memory");
		printf("int 0x80 answered %d\n", result);
	}
	if (strcmp(how, "call-directly") == 0)
		printf("%d\n", ((int (*)(void))lib_address(2))());
	puts("done");
}

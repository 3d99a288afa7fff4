/* Jumps of `app` to any place, with registers of its choice. Where a callback's
 * slot is asked for, it is the first one. Cubicles are app, keeper and vault. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void keeper_arm(void);

/* PKRU: two bits for each key. 1 is public, then the cubicles. */
#define NONE 0x55555555u
#define PUBLIC(rights) (((rights) & ~(3u << 2)) | 2u << 2)
#define OPEN(rights, key) ((rights) & ~(3u << 2 * (key)))

static unsigned long stack[512] __attribute__((used));
static unsigned long saved, fs __attribute__((used));
static long target __attribute__((used));
static unsigned eax __attribute__((used)), found __attribute__((used));

/* Jumps to `target`. Wherever a `ret` is reached from there, it leads back. */
__attribute__((naked)) static void leap(void)
{
	__asm__("push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
		"rdfsbase %rax\n mov %rax, fs(%rip)\n"
		"mov %rsp, saved(%rip)\n"
		"lea stack+1024(%rip), %rsp\n"
		"xor %ecx, %ecx\n xor %edx, %edx\n mov eax(%rip), %eax\n"
		"xor %r15d, %r15d\n pxor %xmm15, %xmm15\n"
		"xor %esi, %esi\n mov %rsp, %rbx\n mov %rsp, %rbp\n mov %rsp, %r10\n mov %rsp, %r11\n mov %rsp, %rdi\n"
		"jmp *target(%rip)\n"
		"leap_back: .globl leap_back\n"
		"cld\n"
		"mov saved(%rip), %rsp\n"
		/* arch_prctl(ARCH_SET_FS): WRFSBASE is not for images. */
		"mov $158, %ecx\n mov %ecx, %eax\n mov $0x1002, %edi\n"
		"mov fs(%rip), %rsi\n syscall\n"
		"xor %ecx, %ecx\n rdpkru\n mov %eax, found(%rip)\n"
		"pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret");
}
void leap_back(void);

/* The rights that the jump comes with in eax. */
static void choose(const char *rights)
{
	unsigned own = PUBLIC(NONE);
	eax = strcmp(rights, "own") == 0 ? OPEN(own, 2)
		: strcmp(rights, "keeper") == 0 ? OPEN(own, 3)
		: strcmp(rights, "vault") == 0 ? OPEN(own, 4)
		: strcmp(rights, "both") == 0 ? OPEN(OPEN(own, 3), 4) : 0;
}

static void leap_and_see(void)
{
	for (int i = 0; i < 512; i++)
		stack[i] = (unsigned long)leap_back;
	keeper_arm();
	leap();
	if (found == OPEN(PUBLIC(NONE), 2))
		puts("back with own rights");
	else
		printf("back with %x\n", found);
	exit(0);
}

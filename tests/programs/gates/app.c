//! app jumps into the gate from vault to keeper, and into the runtime's other
//! text, with registers of its choice: while nobody calls anybody, and while vault
//! waits for keeper, which waits for app; and into its own resume stub, with a frame
//! that says what only the monitor should. Nothing but a violation may come of it,
//! a crash of app itself, or a return to app with app's own rights.
//@ only: pku
//@ violation: kind=gate|access|crash:app
//@ harmless: back with own rights
//@ run: idle own
//@ each: wrpkru keeper_open
//@ run: idle keeper
//@ each: wrpkru keeper_open
//@ run: idle vault
//@ each: wrpkru keeper_open
//@ run: idle both
//@ each: wrpkru keeper_open
//@ run: idle all
//@ each: wrpkru keeper_open
//@ run: idle both
//@ each: instruction keeper_open
//@ only: pku Cubicle lending
//@ run: idle vault
//@ each: instruction @call vault
//@ only: pku Cubicle
//@ run: idle all
//@ each: instruction @call vault
//@ only: pku Cubicle
//@ run: idle vault
//@ each: instruction @resume vault
//@ only: pku Cubicle
//@ run: idle all
//@ each: instruction @resume vault
//@ only: pku Cubicle
//@ run: pending own
//@ each: wrpkru keeper_open
//@ run: pending keeper
//@ each: wrpkru keeper_open
//@ run: pending vault
//@ each: wrpkru keeper_open
//@ run: pending both
//@ each: wrpkru keeper_open
//@ run: pending all
//@ each: wrpkru keeper_open
//@ run: pending both
//@ each: instruction keeper_open
//@ run: pending vault
//@ each: instruction @call vault
//@ only: pku Cubicle
//@ run: pending all
//@ each: instruction @call vault
//@ only: pku Cubicle
//@ run: pending vault
//@ each: instruction @resume vault
//@ only: pku Cubicle
//@ run: pending all
//@ each: instruction @resume vault
//@ only: pku Cubicle
//@ run: forged own
//@ each: instruction @resume app
//@ only: pku Cubicle
//@ run: forged all
//@ each: instruction @resume app
//@ only: pku Cubicle
//@ run: call
//@ violation: none
//@ status: 0
//@ stdout: back with own rights

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"

void vault_use(long where);
void keeper_arm(void);

/* PKRU: two bits for each key. 1 is public, then app, keeper, vault. */
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
		"mov %rsp, %rbx\n mov %rsp, %rbp\n mov %rsp, %r10\n mov %rsp, %r11\n mov %rsp, %rdi\n"
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

void app_hook(void) { leap_and_see(); }

/* app's own frame, as the monitor fills it: a token, and registers to load. */
static void forge(void)
{
	unsigned long *frame = (unsigned long *)((unsigned long)__builtin_frame_address(0) & ~((1L << 36) - 1));
	frame[2] = 3 /* RESUME */;
	frame[23] = 0x202;
	/* Where that leads to is the monitor's word: without a stack, nowhere. */
	frame[24] = 0;
}

int main(int count, char **arguments)
{
	int called = count > 1 && strcmp(arguments[1], "call") == 0;
	const char *choice = count > 2 ? arguments[2] : "";
	unsigned own = PUBLIC(NONE);
	eax = strcmp(choice, "own") == 0 ? OPEN(own, 2)
		: strcmp(choice, "keeper") == 0 ? OPEN(own, 3)
		: strcmp(choice, "vault") == 0 ? OPEN(own, 4)
		: strcmp(choice, "both") == 0 ? OPEN(OPEN(own, 3), 4) : 0;
	/* Everybody has been entered once. */
	vault_use(0);
	target = count > 3 ? strtol(arguments[3], NULL, 16) : (long)leap_back;
	int forged = count > 1 && strcmp(arguments[1], "forged") == 0;
	if (forged)
		forge();
	if (called || forged || strcmp(arguments[1], "idle") == 0)
		leap_and_see();
	vault_use(1);
}

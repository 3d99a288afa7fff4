//! Each side calls, or returns, with its secret in every register that carries
//! nothing, and the other one looks for it in all of them.
//@ run: callee
//@ stdout: the callee finds nothing
//@ without: scrubbing
//@ then: stdout: the callee finds general x87 vectors
//@ run: caller
//@ stdout: the caller finds nothing
//@ without: scrubbing
//@ then: stdout: the caller finds general x87 vectors

#include <stdio.h>
#include "registers.h"

void lib_look(void);
void lib_leave(void);
int lib_secrets(void);

struct registers found __attribute__((used));

__attribute__((naked)) static void call_with_secrets(void)
{
	__asm__("push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n sub $8, %rsp\n"
		FILL
		"mov %rax, %rbx\n mov %rax, %rbp\n mov %rax, %r12\n mov %rax, %r13\n mov %rax, %r14\n mov %rax, %r15\n"
		"call lib_look\n emms\n"
		"add $8, %rsp\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret");
}

__attribute__((naked)) static void call_and_look(void)
{
	__asm__("sub $8, %rsp\n call lib_leave\n" FIND "add $8, %rsp\n ret");
}

int main(int count, char **arguments)
{
	const char *who = count > 1 ? arguments[1] : "";
	int sorts;
	/* The first entry makes a thread there. */
	lib_secrets();
	if (strcmp(who, "callee") == 0) {
		call_with_secrets();
		sorts = lib_secrets();
	} else {
		call_and_look();
		sorts = secrets(&found);
	}
	printf("the %s finds%s%s%s%s\n", who, sorts & 1 ? " general" : "", sorts & 2 ? " x87" : "",
		sorts & 4 ? " vectors" : "", sorts == 0 ? " nothing" : "");
}

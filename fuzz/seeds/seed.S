	.text
	.globl seed, other
	.symver other, versioned@@V2
seed:	lea 1(%rdi), %eax
other:	ret
	.type chosen, @gnu_indirect_function
	.globl chosen
chosen:	lea seed(%rip), %rax
	ret
	.section .note.GNU-stack, "", @progbits

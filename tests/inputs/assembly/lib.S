.text
.globl answer
answer:
	leal 1(%rdi), %eax
	ret
.section .note.GNU-stack,"",@progbits

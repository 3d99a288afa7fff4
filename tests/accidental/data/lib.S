.text
.globl look
.type look, @function
look:
	mov table(%rip), %eax
	ret
.size look, . - look
table:
	.byte 0x0f, 0x01, 0xef, 0
.section .note.GNU-stack,"",@progbits

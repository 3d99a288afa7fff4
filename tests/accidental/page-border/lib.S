.text
.p2align 12
	.skip 4096 - 5, 0xcc
.globl border
.type border, @function
border:
	mov %edi, %eax
	xor $0xef010f00, %eax
	ret
.size border, . - border
.section .note.GNU-stack,"",@progbits

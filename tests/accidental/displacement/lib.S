.text
.globl load
.type load, @function
load:
	mov 0x18c70f(%rip), %eax
1:	ret
.size load, . - load
	.skip 0x18c70f - 1, 0xcc
	.long 42
.section .note.GNU-stack,"",@progbits

.text
.globl enter
.type enter, @function
enter:
	push %rbp
	mov %esi, %ebp
	call head
	movzbl last(%rip), %edx
	add %edx, %eax
	pop %rbp
	ret
.size enter, . - enter
.type first, @function
first:
	ret
last:
	.byte 0x0f
.size first, . - first
.section .note.GNU-stack,"",@progbits

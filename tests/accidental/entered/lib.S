.text
.globl turn
.type turn, @function
turn:
	push %rbp
	mov %esi, %ebp
	shl $15, %edi
1:	add %ebp, %edi
	dec %edx
	jnz 1b
	mov %edi, %eax
	pop %rbp
	ret
.size turn, . - turn
.section .note.GNU-stack,"",@progbits

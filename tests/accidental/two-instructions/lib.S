.text
.globl mix
.type mix, @function
mix:
	push %rbp
	mov %esi, %ebp
	rol $15, %edi
	add %ebp, %edi
	mov %edi, %eax
	pop %rbp
	ret
.size mix, . - mix
.section .note.GNU-stack,"",@progbits

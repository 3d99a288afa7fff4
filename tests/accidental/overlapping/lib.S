.text
.globl mix
.type mix, @function
mix:
	push %rbp
	mov %esi, %ebp
	nop
	rol $15, %edi
	add %ebp, %edi
	mov %edi, %eax
	pop %rbp
	ret
.size mix, . - mix
// Decoded from here, within `rol`: an instruction that begins at its last byte but one, and ends elsewhere.
.globl other
.type other, @function
.set other, mix + 5
.size other, 9
.section .note.GNU-stack,"",@progbits

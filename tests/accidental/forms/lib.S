.text
.globl forms
.type forms, @function
// Answers 0 if each instruction did what it should.
forms:
	push %rbx
	push %rbp
	sub $16, %rsp
	movabs $0x1122ef010f334455, %rbx
	bswap %rbx
	mov $0x5544330f01ef2211, %rcx
	cmp %rcx, %rbx
	jne 9f
	push $0x00ef010f
	pop %rax
	lea 0x28ae0f(%rax), %rdx
	sub $0x28ae0f, %rdx
	cmp %rax, %rdx
	jne 9f
	mov $-1, %eax
	stc
	adc $0x00ef010f, %eax
	jnc 9f
	cmp $0x00ef010f, %eax
	jne 9f
	movq $0x18c70f, (%rsp)
	testl $0x18c70f, (%rsp)
	jz 9f
	// The red zone is in use.
	movq $77, -8(%rsp)
	xorl $0x00ef010f, (%rsp)
	cmpl $0x00ef010f ^ 0x18c70f, (%rsp)
	jne 9f
	cmpq $77, -8(%rsp)
	jne 9f
	imul $0x00ef010f, (%rsp), %edx
	mov $0x00ef010f ^ 0x18c70f, %ecx
	imul %eax, %ecx
	cmp %ecx, %edx
	jne 9f
	xor %eax, %eax
	jmp 8f
9:	mov $1, %eax
8:	add $16, %rsp
	pop %rbp
	pop %rbx
	ret
.size forms, . - forms
.section .note.GNU-stack,"",@progbits

.text
.globl turn
.type turn, @function
turn:
	push %rbp
	mov %esi, %ebp
	call 3f
	shl $15, %edi
1:	add %ebp, %edi
2:	dec %esi
	js 3f
	jz 2b
	test $3, %sil
	jz 1b
	mov %edi, %eax
3:	pop %rbp
	ret
.size turn, . - turn
.section .note.GNU-stack,"",@progbits

.text
.space 0xb8000, 0x90
.globl far_1
.type far_1, @function
far_1:
	mov %edi, %eax
	ret
.size far_1, .-far_1
.space 0x6000, 0x90
.globl far_2
.type far_2, @function
far_2:
	mov %edi, %eax
	ret
.size far_2, .-far_2
.space 0x6000, 0x90
.globl far_3
.type far_3, @function
far_3:
	mov %edi, %eax
	ret
.size far_3, .-far_3
.space 0x6000, 0x90
.globl far_4
.type far_4, @function
far_4:
	mov %edi, %eax
	ret
.size far_4, .-far_4
.space 0x6000, 0x90
.globl far_5
.type far_5, @function
far_5:
	mov %edi, %eax
	ret
.size far_5, .-far_5
.space 0x6000, 0x90
.section .note.GNU-stack,"",@progbits

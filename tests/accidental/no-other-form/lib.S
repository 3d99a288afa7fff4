.text
.globl align
.type align, @function
align:
	palignr $24, %xmm7, %xmm0
	movd %xmm0, %eax
	ret
.size align, . - align
.section .note.GNU-stack,"",@progbits

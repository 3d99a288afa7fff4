.text
.type "cubicle.island", @function
"cubicle.island":
.globl other
.type other, @function
other:
	mov $7, %eax
	ret
.size other, . - other
.size "cubicle.island", . - "cubicle.island"
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

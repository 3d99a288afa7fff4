/* The `f` that the files of this folder call: keeps what it was given, and
 * returns with a pattern in every register that can carry a result. Assembled
 * with -DRESULT_BYTES=n where the result is expected in memory of n bytes. */
    .text
    .globl f
    .type f, @function
f:
    lea dump(%rip), %r11
    movq %rax, 0(%r11)
    movq %rdi, 8(%r11)
    movq %rsi, 16(%r11)
    movq %rdx, 24(%r11)
    movq %rcx, 32(%r11)
    movq %r8, 40(%r11)
    movq %r9, 48(%r11)
    movdqu %xmm0, 56(%r11)
    movdqu %xmm1, 72(%r11)
    movdqu %xmm2, 88(%r11)
    movdqu %xmm3, 104(%r11)
    movdqu %xmm4, 120(%r11)
    movdqu %xmm5, 136(%r11)
    movdqu %xmm6, 152(%r11)
    movdqu %xmm7, 168(%r11)
    xor %ecx, %ecx
1:  movq 8(%rsp,%rcx,8), %rax
    movq %rax, 184(%r11,%rcx,8)
    inc %ecx
    cmp $64, %ecx
    jne 1b
#ifdef RESULT_BYTES
    xor %ecx, %ecx
2:  lea 0x11(%rcx), %eax
    movb %al, (%rdi,%rcx)
    inc %ecx
    cmp $RESULT_BYTES, %ecx
    jne 2b
    mov %rdi, %rax
#else
    movabs $0xa8a7a6a5a4a3a2a1, %rax
    movabs $0xb8b7b6b5b4b3b2b1, %rdx
    movdqu patterns(%rip), %xmm0
    movdqu patterns+16(%rip), %xmm1
#endif
    ret
    .size f, . - f

    .section .rodata
    .balign 16
patterns:
    .quad 0xc8c7c6c5c4c3c2c1, 0xd8d7d6d5d4d3d2d1
    .quad 0xe8e7e6e5e4e3e2e1, 0xf8f7f6f5f4f3f2f1

    .bss
    .balign 16
    .globl dump
    .type dump, @object
    .size dump, 696
dump:
    .zero 696
    .section .note.GNU-stack, "", @progbits

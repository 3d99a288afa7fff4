//! The default is real protection keys: where there are none, nothing runs, not
//! even the constructor.
//@[pku] stdout: constructed
//@[pku] stdout: answer 42
//@[pagetable] status: 87
//@[pagetable] stderr: cubicle: refusing to start: this machine has no memory protection keys; `isolation = "any"` in Cubicle.toml permits page tables instead, and `cargo cubicle run --vm` emulates a machine with keys
//@[old-kernel] stderr: cubicle: refusing to start: protection keys need Linux 6.12 or newer, where signal frames can be written to memory that cubicles cannot reach; `isolation = "any"` in Cubicle.toml permits page tables instead

#include <stdio.h>

int lib_answer(void);

__attribute__((constructor)) static void constructed(void) { puts("constructed"); }

int main(void) { printf("answer %d\n", lib_answer()); }

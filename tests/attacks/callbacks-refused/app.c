//! Addresses that are passed as functions and are none that their sender may
//! pass: they are refused where they cross, whoever passes them.
//@ violation: kind=callback
//@ run: data
//@ violation: kind=callback cubicle=app owner=app place=data callback=lib_keep.call chain=lib_keep detail=not_the_address_of_a_function_of_the_cubicle_that_passes_it
//@ run: constant
//@ violation: kind=callback cubicle=app owner=app place=constants
//@ run: stack
//@ violation: kind=callback cubicle=app owner=app place=stack
//@ run: heap
//@ violation: kind=callback cubicle=app owner=app place=heap
//@ run: nothing
//@ violation: kind=callback cubicle=app owner=null place=unmapped
//@ run: foreign
//@ violation: kind=callback cubicle=app owner=lib place=text
//@ without: functions
//@ then: stdout: lib's own function answers 8
//@ run: third
//@ violation: kind=callback cubicle=app owner=vault place=text
//@ run: monitor
//@ violation: kind=callback cubicle=app owner=monitor place=monitor
//@ run: table
//@ violation: kind=callback cubicle=app owner=monitor place=monitor
//@ run: in-gate
//@ violation: kind=callback cubicle=app owner=monitor detail=not_the_address_of_a_function_of_the_cubicle_that_passes_it
//@ run: others-gate
//@ violation: kind=callback cubicle=app owner=monitor detail=a_function_that_the_cubicle_that_passes_it_may_not_call_itself
//@ run: others-stub
//@ violation: kind=callback cubicle=app owner=monitor detail=a_function_that_the_cubicle_that_passes_it_may_not_call_itself
//@ run: empty-stub
//@ violation: kind=callback cubicle=app owner=monitor detail=a_callback_for_which_no_function_was_ever_passed
//@ run: in-stub
//@ violation: kind=callback cubicle=app owner=monitor detail=not_the_address_of_a_function_of_the_cubicle_that_passes_it
//@ run: callback-gate
//@ violation: kind=callback cubicle=app owner=monitor detail=not_the_address_of_a_function_of_the_cubicle_that_passes_it
//@ run: result-data
//@ violation: kind=callback cubicle=lib owner=app place=data callback=lib_give.result chain=lib_give
//@ run: result-foreign
//@ violation: kind=callback cubicle=lib owner=app place=text callback=lib_give.result chain=lib_give
//@ run: nested-foreign
//@ violation: kind=callback cubicle=lib owner=app place=text callback=lib_give.result chain=lib_nested,lib_nested.call
//@ run: legal
//@ violation: none
//@ stdout: 8

#include <stdlib.h>
#include <string.h>
#include "check.h"

void lib_keep(int (*call)(int));
int lib_call(int);
long lib_kept_address(void);
long lib_own(void);
int (*lib_give(long address))(int);
int lib_nested(int (*call)(int (*)(int)), long address);
long vault_text(void);
long vault_gate(void);
long vault_stub(void);

static int own(int n) { return n + 1; }
static int call_it(int (*call)(int)) { return call(3); }

static int data[4];
static const int constant[4] = { 1 };

/* Stubs have 16 bytes. */
static long stub(int slot)
{
	lib_keep(own);
	return lib_kept_address() + 16 * slot;
}

/* The gate to which a stub jumps. */
static long behind(long address)
{
	int distance;
	memcpy(&distance, (char *)address + 6, sizeof distance);
	return address + 10 + distance;
}

int main(int count, char **arguments)
{
	const char *name = count > 1 ? arguments[1] : "";
	long address = 0;
	void *heap = malloc(64);
	int local;
#define IS(text) (strcmp(name, text) == 0)
	if (IS("result-data"))
		return lib_give((long)data) != NULL;
	if (IS("result-foreign"))
		return lib_give((long)own) != NULL;
	if (IS("nested-foreign"))
		return lib_nested(call_it, (long)own);
	if (IS("legal")) {
		printf("%d\n", lib_nested(call_it, lib_own()));
		return 0;
	}
	if (IS("data"))
		address = (long)data;
	else if (IS("constant"))
		address = (long)constant;
	else if (IS("stack"))
		address = (long)&local;
	else if (IS("heap"))
		address = (long)heap;
	else if (IS("nothing"))
		address = 0x7fff0000;
	else if (IS("foreign"))
		address = lib_own();
	else if (IS("third"))
		address = vault_text();
	else if (IS("monitor"))
		address = 0x1001000;
	else if (IS("table"))
		address = 0x3a00000;
	else if (IS("in-gate"))
		address = (long)lib_call + 1;
	else if (IS("others-gate"))
		address = vault_gate();
	else if (IS("others-stub"))
		address = vault_stub();
	else if (IS("empty-stub"))
		address = stub(200);
	else if (IS("in-stub"))
		address = stub(0) + 5;
	else if (IS("callback-gate"))
		address = behind(stub(0));
	lib_keep((int (*)(int))address);
	if (IS("foreign")) {
		printf("lib's own function answers %d\n", lib_call(3));
		return 0;
	}
	printf("%s was not refused\n", name);
}

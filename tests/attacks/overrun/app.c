//! Calls go back and forth until the library's stack ends, in its own code or in
//! one of its gates: with rights that reach nothing behind the end. The monitor,
//! which has all rights, looks first.
//@ run: lending 16
//@ violation: kind=lend cubicle=app owner=lib place=stack detail=the_callee's_stack_has_no_room_for_the_arguments
//@ run: lending 160
//@ violation: kind=lend cubicle=app owner=lib place=stack detail=the_callee's_stack_has_no_room_for_the_arguments
//@ run: lending 1000
//@ violation: kind=lend cubicle=app owner=lib place=stack detail=the_callee's_stack_has_no_room_for_the_arguments
//@ run: lending 3900
//@ violation: kind=lend cubicle=app owner=lib place=stack detail=the_callee's_stack_has_no_room_for_the_arguments
//@ run: lending 30000
//@ violation: kind=lend cubicle=app owner=lib place=stack detail=the_callee's_stack_has_no_room_for_the_arguments
//@ run: union 16
//@ violation: kind=access|gate|crash:lib cubicle=lib owner=lib access=write
//@ run: union 48
//@ violation: kind=access|gate|crash:lib cubicle=lib owner=lib access=write
//@ run: union 160
//@ violation: kind=access|gate|crash:lib cubicle=lib owner=lib access=write
//@ run: union 1000
//@ violation: kind=access|gate|crash:lib cubicle=lib owner=lib access=write
//@ run: union 3900
//@ violation: kind=access|gate|crash:lib cubicle=lib owner=lib access=write
//@ run: union 30000
//@ violation: kind=access|gate|crash:lib cubicle=lib owner=lib access=write

#include <stdlib.h>
#include <string.h>

int lib_down(int bytes, int (*again)(int));
int lib_down_again(int bytes);

static int again(int bytes) { return lib_down(bytes, again); }
int app_again(int bytes) { return lib_down_again(bytes); }

int main(int count, char **arguments)
{
	if (count < 3)
		return 1;
	int bytes = atoi(arguments[2]);
	return strcmp(arguments[1], "union") == 0 ? app_again(bytes) : again(bytes);
}

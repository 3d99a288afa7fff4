//! Windows: what they are for, what is asked wrongly, what else must go on working
//! with them, and what nobody may do through them. app opens memory for guest, and
//! guest for third.
//@ run: use
//@ only: Cubicle
//@ stdout: printed from a page that guest had
//@ stdout: done
//@ run: misuse
//@ stdout: done
//@ run: memory
//@ stdout: done
//@ run: kernel
//@ stdout: done
//@ run: registers
//@ stdout: done
//@ run: trespass never-opened
//@ violation: kind=access cubicle=guest owner=app access=write detail=the_window_onto_it_is_not_open_to_this_cubicle chain=guest_put
//@ without: window-rights
//@ then: stdout: nothing came of it
//@ then: stdout: done
//@ run: trespass read-only
//@ violation: kind=access cubicle=guest owner=app access=write detail=the_window_onto_it_is_for_reading_only
//@ without: window-rights
//@ then: stdout: nothing came of it
//@ then: stdout: done
//@ run: trespass read-only-held
//@ violation: kind=access cubicle=guest owner=app access=write detail=the_window_onto_it_is_for_reading_only
//@ run: trespass closed
//@ violation: kind=access cubicle=guest owner=app access=read detail=the_window_onto_it_is_not_open_to_this_cubicle
//@ without: window-rights
//@ then: stdout: nothing came of it
//@ then: stdout: done
//@ run: trespass narrowed
//@ violation: kind=access cubicle=guest owner=app access=write detail=the_window_onto_it_is_for_reading_only
//@ without: window-rights
//@ then: stdout: nothing came of it
//@ then: stdout: done
//@ run: trespass passed-on-closed
//@ violation: kind=access cubicle=third owner=app access=read detail=the_window_onto_it_is_not_open_to_this_cubicle
//@ run: trespass all-closed
//@ violation: kind=access cubicle=guest owner=app access=read detail=the_window_onto_it_is_not_open_to_this_cubicle
//@ run: trespass revoked
//@ violation: kind=access cubicle=guest owner=app access=read detail=the_window_onto_it_is_not_open_to_this_cubicle
//@ without: window-rights
//@ then: stdout: nothing came of it
//@ then: stdout: done
//@ run: trespass closed-revoked
//@ violation: kind=access cubicle=guest owner=app access=read detail=the_window_onto_it_is_not_open_to_this_cubicle
//@ run: trespass removed
//@ violation: kind=access cubicle=guest owner=app access=read detail=absent
//@ run: trespass destroyed
//@ violation: kind=access cubicle=guest owner=app access=read detail=absent
//@ run: trespass stranger
//@ violation: kind=access cubicle=third owner=app access=read detail=the_window_onto_it_is_not_open_to_this_cubicle
//@ without: window-rights
//@ then: stdout: nothing came of it
//@ then: stdout: done
//@ run: trespass stranger-while-held
//@ violation: kind=access cubicle=third owner=app access=read detail=the_window_onto_it_is_not_open_to_this_cubicle
//@ run: trespass next-page
//@ violation: kind=access cubicle=guest owner=app access=read detail=absent
//@ run: trespass passed-on-revoked
//@ violation: kind=access cubicle=third owner=app access=read detail=the_window_onto_it_is_not_open_to_this_cubicle
//@ run: trespass constant
//@ violation: kind=access cubicle=guest owner=app access=write
//@ run: trespass execute
//@ violation: kind=access cubicle=guest owner=app access=execute
//@ run: trespass unmapped
//@ violation: kind=crash:guest
//@ run: trespass lent-further
//@ violation: kind=lend cubicle=guest owner=app
//@ run: trespass forged-token
//@ violation: kind=access cubicle=guest owner=app access=read

#include <cubicle.h>
#include <string.h>
#include "app.h"
#include "check.h"

int guest, third;

int main(int count, char **arguments)
{
	const char *what = count > 1 ? arguments[1] : "";
	guest = cubicle_find("guest");
	third = cubicle_find("third");
	CHECK(guest >= 0 && third >= 0 && guest != third);
	if (strcmp(what, "use") == 0)
		use();
	if (strcmp(what, "misuse") == 0)
		misuse();
	if (strcmp(what, "memory") == 0)
		memory_calls();
	if (strcmp(what, "kernel") == 0)
		system_calls();
	if (strcmp(what, "registers") == 0)
		registers();
	if (strcmp(what, "trespass") == 0)
		trespass(arguments[2]);
	puts("done");
}

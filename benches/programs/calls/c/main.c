/* Calls through each kind of gate, nanoseconds for each call. With an argument it does nothing, so
 * that its start can be measured.
 */

#include "../../common/measure.h"
#include "calls.h"

#define LENT 64

int main(int count, char **words)
{
	(void)words;
	if (count > 1)
		return 0;
	long value = 0;
	char text[LENT] = "what is lent for a call, 64 bytes of it";
	/* The first call makes the thread's presence over there. */
	value = seeing_bare(seen_bare(checked_bare(unscrubbed_bare(value))));
	MEASURE("plain", value = own_bare(value));
	MEASURE("fast", value = fast_bare(value));
	MEASURE("fast FS", value = fast_thread(value));
	MEASURE("caller-sees", value = seen_bare(value));
	MEASURE("caller-sees FS", value = seen_thread(value));
	MEASURE("callee-sees", value = seeing_bare(value));
	MEASURE("callee-sees FS", value = seeing_thread(value));
	MEASURE("union", value = checked_bare(value));
	MEASURE("union FS", value = checked_thread(value));
	MEASURE("unscrubbed", value = unscrubbed_bare(value));
	MEASURE("unscrubbed FS", value = unscrubbed_thread(value));
	MEASURE("lending", value = lending_bare(text, LENT));
	MEASURE("lending FS", value = lending_thread(text, LENT));
	return value == 0;
}

/* What a failure costs: the call that fails, and the next one, which finds a new
 * image.
 */

#include "../../common/measure.h"
#include "library.h"

int main(void)
{
	MEASURE("call", library_call(0));
	MEASURE("failure", {
		library_call(1);
		library_call(0);
	});
	return 0;
}

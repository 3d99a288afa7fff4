#include "third.h"

static int calls;
static function *kept;

int third_triple(int n)
{
	calls++;
	return 3 * n;
}

static int negate(int n)
{
	calls++;
	return -n;
}

function *third_function(void) { return negate; }
int third_calls(void) { return calls; }
int third_apply(function *call, int n) { return call(n); }
void third_keep(function *call) { kept = call; }
function *third_kept(void) { return kept; }

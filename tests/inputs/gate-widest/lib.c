#include "gate.h"
struct wide widest(PARAMETERS)
{
	struct wide made = { a0 + a7 + b0 + b5 + c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11 + c12 + c13 + c14 + c15 + c16 + c17 + c18 + c19 + c20 + c21, 1 };
	return made;
}

// Shape: rdi, nothing, rsi -> none
#include "shapes.h"
struct empty {};
FUNCTION(struct empty, (int a, struct empty e, int b))
CALLER {
    ARGUMENT(int, a); ARGUMENT(struct empty, e); ARGUMENT(int, b);
    RESULT(struct empty, f(a, e, b));
    return 0;
}

// Shape: rsi, rdx, rcx:xmm0 -> memory 8
// Error with DWARF 4: CUB006
// (DWARF 4 does not say which is which.) A class with a destructor is passed and returned by address; a plain one in registers.
#include "shapes.h"
struct Owner {
    long value;
    Owner();
    Owner(const Owner &);
    ~Owner();
};
struct Base { int a; };
struct Derived : Base { double d; int sum() const { return a; } static int counter; };
#ifdef DEFINITION
EXTERN Owner f(int &a, Owner b, Derived c);
Owner f(int &a, Owner b, Derived c) { return b; }
#else
Owner::Owner() {}
Owner::Owner(const Owner &) {}
Owner::~Owner() {}
EXTERN Owner f(int &a, Owner b, Derived c);
int main() {
    int a = 0;
    int *address = &a;
    print_bytes("argument", &address, sizeof address);
    Owner b;
    Owner *copy = &b;
    print_bytes("unknown", &copy, sizeof copy);
    Derived c;
    fill(&c, sizeof c);
    RESULT(Owner, f(a, b, c));
    return 0;
}
#endif

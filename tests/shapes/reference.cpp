// Shape: rsi, rdx, rcx:xmm0, r8 -> memory 8
// A class with a destructor is passed and returned by address; a plain one in registers.
#include "shapes.h"
struct Owner {
    long value;
    Owner();
    Owner(const Owner &);
    ~Owner();
};
struct Holder { Owner inner[1]; };
struct Base { int a; };
struct Derived : Base {
    Derived() = default;
    explicit Derived(const Base &);
    Derived(const Derived &) = default;
    ~Derived() = default;
    double d; int sum() const { return a; } static int counter; };
#ifdef DEFINITION
EXTERN Owner f(int &a, Owner b, Derived c, Holder d);
Owner f(int &a, Owner b, Derived c, Holder d) { return b; }
#else
Owner::Owner() {}
Owner::Owner(const Owner &) {}
Owner::~Owner() {}
EXTERN Owner f(int &a, Owner b, Derived c, Holder d);
int main() {
    int a = 0;
    int *address = &a;
    print_bytes("argument", &address, sizeof address);
    Owner b;
    Owner *copy = &b;
    print_bytes("unknown", &copy, sizeof copy);
    Derived c;
    fill(&c, sizeof c);
    Holder d;
    print_bytes("unknown", &copy, sizeof copy);
    RESULT(Owner, f(a, b, c, d));
    return 0;
}
#endif

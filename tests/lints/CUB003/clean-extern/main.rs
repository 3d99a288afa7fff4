fn main() {
    // SAFETY: it is a C string.
    assert_eq!(unsafe { part::longest(c"one three".as_ptr()) }, 5);
}

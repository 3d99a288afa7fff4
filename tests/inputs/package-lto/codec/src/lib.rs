/// Whoever calls it has the native code linked.
pub fn link(n: i32) -> i32 {
    n
}

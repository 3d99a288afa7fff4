fn main() {
    assert_eq!(part::longest(&["one", "three"]), 5);
}

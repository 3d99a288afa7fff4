#[link(name = "nowhere")]
unsafe extern "C" {
    safe fn answer(n: i32) -> i32;
}

fn main() {
    answer(1);
}

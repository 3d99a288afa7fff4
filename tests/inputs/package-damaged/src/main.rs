unsafe extern "C" {
    safe fn answer(n: i32) -> i32;
}

fn main() {
    println!("{}", package_damaged_sys::link(answer(41)));
}

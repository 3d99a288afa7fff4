//! Ends in the library: `abort` or `fault`.

unsafe extern "C" {
    safe fn library_end(how: i32) -> i32;
}

fn finish(how: i32) -> i32 {
    library_end(how) + 1
}

fn main() {
    let fault = std::env::args().any(|word| word == "fault");
    std::process::exit(finish(i32::from(fault)));
}

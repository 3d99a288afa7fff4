use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_cubicle::cli::main()
}

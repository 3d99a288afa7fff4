//! Writes animations for the kiosk: an honest one, and one that changes the balance.

mod animation;
mod attack;
mod fli;
mod symbol;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: inputs honest OUT.fli
       inputs malicious OUT.fli PROGRAM    for the kiosk that is attacked";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let verb = arguments.first().and_then(|verb| verb.to_str());
    let result = match (verb, &arguments[..]) {
        (Some("honest"), [_, out]) => write(out.as_ref(), animation::honest()),
        (Some("malicious"), [_, out, program]) => malicious(out.as_ref(), program.as_ref()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("inputs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn malicious(out: &Path, program: &Path) -> Result<(), String> {
    let address = symbol::address(program, attack::TARGET)?;
    println!("{} is at {address:#x}", attack::TARGET);
    write(out, attack::malicious(address))
}

fn write(out: &Path, file: Vec<u8>) -> Result<(), String> {
    std::fs::write(out, file).map_err(|error| format!("{}: {error}", out.display()))
}

//! Streams of data through the flate2 crate, in every way it offers.
//!
//! Under plain cargo this is an ordinary program. Under `cargo cubicle` the zlib
//! behind flate2 becomes a cubicle: it works on the stream and the buffers that
//! it is lent for each call and can reach nothing else of this program. The
//! source is the same, flate2's too.

mod check;
mod files;
mod text;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: streams                     check every kind of stream against the others
       streams pack FILE PACKED    compress a file into a gzip file
       streams unpack PACKED FILE  restore it";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        [] => check::check(std::io::stdout()),
        ["pack", from, to] => files::pack(Path::new(from), Path::new(to)),
        ["unpack", from, to] => files::unpack(Path::new(from), Path::new(to)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("streams: {error}");
            ExitCode::FAILURE
        }
    }
}

//! Compresses and restores files with an unmodified zlib.
//!
//! Under plain cargo this is an ordinary program. Under `cargo cubicle` zlib
//! becomes a cubicle: it works on the two buffers it is lent and can reach
//! nothing else of this program. The source is the same.

mod arguments;
mod check;
mod container;
mod error;
mod zlib;

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::process::ExitCode;

use arguments::{Arguments, Command};
use container::Summary;
use error::Error;

fn main() -> ExitCode {
    match Arguments::parse(std::env::args_os().skip(1)).and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("deflate: {error}");
            match error {
                Error::Usage(_) => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    match &arguments.command {
        Command::Help => println!("{}", arguments::USAGE),
        Command::Check(file) => check::check(
            file.as_deref(),
            arguments.block,
            arguments.level,
            std::io::stdout(),
        )?,
        Command::Compress(from, to) => report(
            "compressed",
            container::compress(open(from)?, create(to)?, arguments.block, arguments.level)?,
        ),
        Command::Restore(from, to) => {
            report("restored", container::restore(open(from)?, create(to)?)?)
        }
    }
    Ok(())
}

fn open(path: &Path) -> Result<BufReader<File>, Error> {
    File::open(path)
        .map(BufReader::new)
        .map_err(|error| Error::File(path.to_owned(), error))
}

fn create(path: &Path) -> Result<BufWriter<File>, Error> {
    File::create(path)
        .map(BufWriter::new)
        .map_err(|error| Error::File(path.to_owned(), error))
}

fn report(what: &str, summary: Summary) {
    println!(
        "{what}: {} blocks, {} bytes raw, {} bytes packed",
        summary.blocks, summary.raw, summary.packed
    );
}

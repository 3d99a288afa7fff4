//! A catalogue of books in a SQLite database, with functions, aggregates,
//! collations and hooks in Rust.
//!
//! Under plain cargo this is an ordinary program. Under `cargo cubicle` SQLite
//! becomes a cubicle that cannot touch this program's memory, although it calls
//! this program's functions in the middle of its statements. The source is the
//! same, rusqlite's too.

mod catalogue;
mod functions;
mod hooks;
mod threads;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use rusqlite::Connection;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [] => in_temporary_folder(),
        [folder] => run(Path::new(folder)),
        _ => {
            eprintln!("usage: catalogue [FOLDER FOR DATABASES]");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("catalogue: {error}");
            ExitCode::FAILURE
        }
    }
}

fn in_temporary_folder() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("catalogue-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let result = run(&folder);
    std::fs::remove_dir_all(&folder)?;
    result
}

/// Works on a database in memory, then on files in `folder`.
fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut database = Connection::open_in_memory()?;
    catalogue::create(&mut database)?;
    println!("-- functions");
    functions::show(&database)?;
    println!("-- hooks");
    hooks::show(&mut database)?;
    println!("-- files");
    catalogue::on_files(&database, folder)?;
    println!("-- threads");
    threads::show(folder)?;
    Ok(())
}

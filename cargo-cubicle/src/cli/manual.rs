//! `cargo cubicle manual`: manual pages and completions, where shells and `man` look for them
//! below a directory such as `~/.local/share`.

use std::fs;

use anyhow::Context;
use camino::Utf8Path;
use clap::CommandFactory;
use clap_complete::Shell;

use super::arguments::{Arguments, ManualOptions};
use super::foreground::Ending;
use super::message;

/// What cargo starts for `cargo cubicle`.
const PROGRAM: &str = "cargo-cubicle";

const COMPLETIONS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions/cargo-cubicle"),
    (Shell::Zsh, "zsh/site-functions/_cargo-cubicle"),
    (Shell::Fish, "fish/vendor_completions.d/cargo-cubicle.fish"),
];

/// Writes all of it.
pub fn run(options: &ManualOptions) -> anyhow::Result<Ending> {
    let directory = &options.directory;
    // Under the name by which shells know it, not the one that people type.
    let own = Arguments::command();
    let mut command = clap::Command::new(PROGRAM)
        .version(env!("CARGO_PKG_VERSION"))
        .about(own.get_about().cloned().unwrap_or_default())
        .subcommands(own.get_subcommands().cloned());
    for (shell, path) in COMPLETIONS {
        let mut script = Vec::new();
        // A hyphen in the name makes clap_complete 4.6 write a bash script that knows no flags.
        let name = match shell {
            Shell::Bash => PROGRAM.replace('-', "_"),
            _ => PROGRAM.to_owned(),
        };
        clap_complete::generate(shell, &mut command.clone(), &name, &mut script);
        let script = String::from_utf8(script)?;
        let registered = script.replace(&format!(" {name}\n"), &format!(" {PROGRAM}\n"));
        write(&directory.join(path), registered.as_bytes())?;
    }
    command.build();
    pages(&command, PROGRAM, &directory.join("man/man1"))?;
    message::note(&format!(
        "wrote manual pages and completions below {directory}"
    ));
    Ok(Ending::Status(0))
}

/// A command's page, and those of its subcommands.
fn pages(command: &clap::Command, name: &str, folder: &Utf8Path) -> anyhow::Result<()> {
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command.clone()).title(name.to_uppercase());
    man.render(&mut page)?;
    write(&folder.join(format!("{name}.1")), &page)?;
    for subcommand in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        if subcommand.get_name() != "help" {
            let name = format!("{name}-{}", subcommand.get_name());
            pages(subcommand, &name, folder)?;
        }
    }
    Ok(())
}

fn write(path: &Utf8Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, bytes))
        .with_context(|| format!("cannot write `{path}`"))
}

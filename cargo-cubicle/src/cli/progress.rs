//! How far a command is, on a terminal, in cargo's look. Nothing of it is left when the command is done.

use std::ffi::OsString;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that counts steps. Nothing is drawn where standard error is no terminal, or where cargo is to be quiet.
pub struct Progress(ProgressBar);

impl Progress {
    /// `what` is one word, such as `Running`; `words` are cargo's.
    pub fn of(what: &'static str, steps: usize, words: &[OsString]) -> Progress {
        let target = match is_quiet(words) {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        let bar = ProgressBar::with_draw_target(Some(steps as u64), target);
        let style =
            ProgressStyle::with_template("{prefix:>12.cyan.bold} [{bar:27}] {pos}/{len}: {msg}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what);
        Progress(bar)
    }

    /// The next step begins.
    pub fn step(&self, name: impl Into<String>) {
        self.0.set_message(name.into());
        self.0.inc(1);
        self.0.tick();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Whether cargo was told to say nothing but errors.
pub fn is_quiet(words: &[OsString]) -> bool {
    let told = words.iter().any(|word| word == "--quiet" || word == "-q");
    told || std::env::var("CARGO_TERM_QUIET").is_ok_and(|value| value == "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_is_a_word_of_cargos() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(is_quiet(&words("--release -q")));
        assert!(is_quiet(&words("--quiet")));
        assert!(!is_quiet(&words("--release --bin quiet")));
    }
}

//! "Did you mean": the nearest of the names that would have been right.

/// Longer names than this are not compared; the effort grows with the square.
const LONGEST: usize = 64;

/// The candidate that `name` was probably meant to be: at most a third of its
/// letters differ, and the alphabetically first of several equally near ones.
/// Names of one or two letters are too short to guess from.
pub(crate) fn similar<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if !(3..=LONGEST).contains(&name.len()) {
        return None;
    }
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name && candidate.len() <= LONGEST)
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::similar;

    #[test]
    fn the_nearest_name_is_found() {
        assert_eq!(similar("keystor", ["keystore", "app"]), Some("keystore"));
        assert_eq!(similar("calers", ["callers", "crates"]), Some("callers"));
        assert_eq!(similar("mian", ["main"]), Some("main"));
    }

    #[test]
    fn far_and_short_names_are_not_guessed() {
        assert_eq!(similar("sqlite", ["app", "codec"]), None);
        assert_eq!(similar("ro", ["r", "rw"]), None);
    }
}

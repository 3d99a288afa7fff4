//! "Did you mean", for names that only the plan can look up.

/// Longer names than this are not compared; the effort grows with the square.
const LONGEST: usize = 64;

/// The candidate that `name` was probably meant to be: at most a third of its
/// letters differ. Of several equally near ones it is the alphabetically first.
pub(super) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if !(3..=LONGEST).contains(&name.len()) {
        return None;
    }
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

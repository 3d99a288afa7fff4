//! Changes that the tool can make itself.

/// A change of the manifest that mends a finding and permits nothing that is not written there already. It is about
/// what the finding's first place marks.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fix {
    /// It is misspelt; this is its name.
    Rename(String),
    /// Nothing needs it.
    Remove,
    /// It is a function's entry, and the function is in this cubicle.
    Move(String),
}

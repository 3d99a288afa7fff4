//! What a program is linked for.

use serde::{Deserialize, Serialize};

/// It decides what takes the program's place in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To be used: the partitioned program.
    #[default]
    Use,
    /// A benchmark build: a stand-in replaces WRPKRU and nothing is protected.
    StandIn,
    /// An audit build: nothing is protected and violations are recorded.
    Audit,
    /// To be judged: a report takes its place.
    Lint,
    /// To be measured: the plain program takes its place, and others lie beside its link line.
    Measure,
}

impl Purpose {
    /// As it is part of what tells builds apart.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Use => "use",
            Purpose::StandIn => "stand-in",
            Purpose::Audit => "audit",
            Purpose::Lint => "lint",
            Purpose::Measure => "measure",
        }
    }
}

//! The lint rules' codes, names and default levels, in one table.

use std::fmt;

use super::Level;

/// One row of the rule table.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// `CUB001` and so on; never reused.
    pub code: &'static str,
    /// The name used on the command line and in `[lint]`.
    pub name: &'static str,
    /// What the rule does when neither the manifest nor the command line says.
    pub default_level: Level,
    /// What it finds, in a phrase.
    pub finds: &'static str,
}

/// Every rule, in the order of the codes.
static RULES: [Rule; 20] = [
    Rule {
        code: "CUB001",
        name: "undeclared-call",
        default_level: Level::Deny,
        finds: "a call into a cubicle whose `callers` do not list the caller",
    },
    Rule {
        code: "CUB002",
        name: "foreign-data",
        default_level: Level::Deny,
        finds: "a reference to another cubicle's variable that is in no window and not a public constant",
    },
    Rule {
        code: "CUB003",
        name: "rust-abi-crossing",
        default_level: Level::Deny,
        finds: "a Rust-ABI symbol that would have to cross, or replicated glue with mutable statics",
    },
    Rule {
        code: "CUB004",
        name: "unlent-pointer",
        default_level: Level::Warn,
        finds: "a pointer argument into the caller's memory that nothing describes",
    },
    Rule {
        code: "CUB005",
        name: "escaping-function",
        default_level: Level::Deny,
        finds: "a function address that crosses and that nothing describes as a callback",
    },
    Rule {
        code: "CUB006",
        name: "unknown-signature",
        default_level: Level::Deny,
        finds: "a gate whose shape neither DWARF nor the manifest gives",
    },
    Rule {
        code: "CUB007",
        name: "unsupported-abi",
        default_level: Level::Deny,
        finds: "shapes a gate cannot carry: undeclared variadics, x87 or complex results",
    },
    Rule {
        code: "CUB008",
        name: "forbidden-instruction",
        default_level: Level::Deny,
        finds: "forbidden byte patterns in a component's code, at any offset, after the automatic remedies",
    },
    Rule {
        code: "CUB009",
        name: "raw-syscall",
        default_level: Level::Warn,
        finds: "a `syscall` instruction outside libc",
    },
    Rule {
        code: "CUB010",
        name: "ungranted-syscall",
        default_level: Level::Warn,
        finds: "a libc function whose system call the cubicle was not granted",
    },
    Rule {
        code: "CUB011",
        name: "foreign-tls",
        default_level: Level::Deny,
        finds: "a thread-local of another cubicle",
    },
    Rule {
        code: "CUB012",
        name: "claimed-twice",
        default_level: Level::Deny,
        finds: "an object that two cubicles claim",
    },
    Rule {
        code: "CUB013",
        name: "unused-entry",
        default_level: Level::Warn,
        finds: "a manifest entry that matched nothing in any binary of the package",
    },
    Rule {
        code: "CUB014",
        name: "ownership-transfer",
        default_level: Level::Warn,
        finds: "memory allocated on one side and freed on the other",
    },
    Rule {
        code: "CUB015",
        name: "too-many-keys",
        default_level: Level::Deny,
        finds: "more than 14 cubicles and keyed windows (13 if the binary may run on kernels before 6.12)",
    },
    Rule {
        code: "CUB016",
        name: "widened-authority",
        default_level: Level::Deny,
        finds: "the build grants what Cubicle.lock does not; looked for with `--locked` only",
    },
    Rule {
        code: "CUB017",
        name: "executable-writable",
        default_level: Level::Deny,
        finds: "a section both writable and executable, or an executable stack",
    },
    Rule {
        code: "CUB018",
        name: "dissolved-by-lto",
        default_level: Level::Deny,
        finds: "a claimed Rust crate dissolved by fat or thin LTO",
    },
    Rule {
        code: "CUB019",
        name: "libc-object-crossing",
        default_level: Level::Deny,
        finds: "`FILE*`, `DIR*`, `pthread_t`, `locale_t`, `va_list`, `jmp_buf` and the like crossing a border: each libc has its own",
    },
    Rule {
        code: "CUB020",
        name: "seen-authority",
        default_level: Level::Warn,
        finds: "`sees = \"rw\"` on a cubicle that holds grants its seer lacks",
    },
];

macro_rules! page {
    ($code:literal) => {
        include_str!(concat!("../../../docs/lints/", $code, ".md"))
    };
}

/// In the order of the table.
static PAGES: [&str; 20] = [
    page!("CUB001"),
    page!("CUB002"),
    page!("CUB003"),
    page!("CUB004"),
    page!("CUB005"),
    page!("CUB006"),
    page!("CUB007"),
    page!("CUB008"),
    page!("CUB009"),
    page!("CUB010"),
    page!("CUB011"),
    page!("CUB012"),
    page!("CUB013"),
    page!("CUB014"),
    page!("CUB015"),
    page!("CUB016"),
    page!("CUB017"),
    page!("CUB018"),
    page!("CUB019"),
    page!("CUB020"),
];

/// The code of a lint rule: an index into the rule table.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(into = "&'static str", try_from = "String")]
pub struct Code(u8);

impl From<Code> for &'static str {
    fn from(code: Code) -> &'static str {
        code.as_str()
    }
}

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(text: String) -> Result<Code, String> {
        Code::from_code(&text).ok_or_else(|| format!("`{text}` is no rule"))
    }
}

/// The constants are named after the codes, so that a rule reads the same in the
/// program, in its output and in the documentation.
impl Code {
    /// `undeclared-call`
    pub const CUB001: Code = Code(0);
    /// `foreign-data`
    pub const CUB002: Code = Code(1);
    /// `rust-abi-crossing`
    pub const CUB003: Code = Code(2);
    /// `unlent-pointer`
    pub const CUB004: Code = Code(3);
    /// `escaping-function`
    pub const CUB005: Code = Code(4);
    /// `unknown-signature`
    pub const CUB006: Code = Code(5);
    /// `unsupported-abi`
    pub const CUB007: Code = Code(6);
    /// `forbidden-instruction`
    pub const CUB008: Code = Code(7);
    /// `raw-syscall`
    pub const CUB009: Code = Code(8);
    /// `ungranted-syscall`
    pub const CUB010: Code = Code(9);
    /// `foreign-tls`
    pub const CUB011: Code = Code(10);
    /// `claimed-twice`
    pub const CUB012: Code = Code(11);
    /// `unused-entry`
    pub const CUB013: Code = Code(12);
    /// `ownership-transfer`
    pub const CUB014: Code = Code(13);
    /// `too-many-keys`
    pub const CUB015: Code = Code(14);
    /// `widened-authority`
    pub const CUB016: Code = Code(15);
    /// `executable-writable`
    pub const CUB017: Code = Code(16);
    /// `dissolved-by-lto`
    pub const CUB018: Code = Code(17);
    /// `libc-object-crossing`
    pub const CUB019: Code = Code(18);
    /// `seen-authority`
    pub const CUB020: Code = Code(19);

    /// Every code in order.
    pub fn all() -> impl Iterator<Item = Code> {
        (0..RULES.len() as u8).map(Code)
    }

    /// The rule with this kebab-case name.
    pub fn from_name(name: &str) -> Option<Code> {
        Self::all().find(|code| code.name() == name)
    }

    /// The rule with this code, such as `CUB001`.
    pub fn from_code(text: &str) -> Option<Code> {
        Self::all().find(|code| code.as_str() == text)
    }

    /// The rule's row of the table.
    pub fn rule(self) -> &'static Rule {
        &RULES[self.0 as usize]
    }

    /// `CUB001` and so on.
    pub fn as_str(self) -> &'static str {
        self.rule().code
    }

    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        self.rule().name
    }

    /// Its page in the documentation, as Markdown.
    pub fn page(self) -> &'static str {
        PAGES[self.0 as usize]
    }

    /// The level that holds when nobody says otherwise.
    pub fn default_level(self) -> Level {
        self.rule().default_level
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_and_table_agree() {
        for (index, code) in Code::all().enumerate() {
            assert_eq!(code.as_str(), format!("CUB{:03}", index + 1));
            assert_eq!(Code::from_name(code.name()), Some(code));
            assert_eq!(Code::from_code(code.as_str()), Some(code));
            assert!(
                code.page()
                    .starts_with(&format!("# {code}, {} (", code.name()))
            );
        }
        assert_eq!(Code::CUB001.name(), "undeclared-call");
        assert_eq!(Code::CUB012.name(), "claimed-twice");
        assert_eq!(Code::CUB015.as_str(), "CUB015");
        assert_eq!(Code::CUB020.name(), "seen-authority");
        assert_eq!(Code::CUB020.default_level(), Level::Warn);
    }

    #[test]
    fn unknown_names_are_no_rules() {
        assert_eq!(Code::from_name("CUB001"), None);
        assert_eq!(Code::from_code("CUB000"), None);
    }
}

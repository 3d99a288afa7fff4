//! The values that are one word out of a few. The words stand here once: the
//! reader, its error messages and the JSON schema all take them from here.

/// A type whose values are written as one of a few words.
pub trait Word: Copy + 'static {
    /// What the words name, for messages: "`x` is not …".
    const KIND: &'static str;
    /// Every word and what it means.
    const WORDS: &'static [(&'static str, Self)];
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $kind:literal: $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl Word for $name {
            const KIND: &'static str = $kind;
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, $name::$variant)),+];
        }

        impl $name {
            /// The word the manifest uses.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($word),+] })
            }
        }
    };
}

words! {
    /// What must hold cubicles apart for the program to start.
    Isolation, "a kind of isolation":
    /// Protection keys; without them the program refuses to start.
    Pku = "pku",
    /// Protection keys where there are any, otherwise page tables.
    Any = "any",
}

words! {
    /// What a `[cubicle.*]` table describes.
    Kind, "a kind of cubicle":
    /// Code without a cubicle of its own: every image that refers to it gets a
    /// private copy.
    Shared = "shared",
}

words! {
    /// What one side may do with another side's memory. The two letters are
    /// those of `ls` and `/proc/PID/maps`; there is no second spelling.
    Access, "an access":
    /// Read only.
    Read = "r",
    /// Read and write.
    ReadWrite = "rw",
}

words! {
    /// What becomes of a system call that a cubicle is denied.
    #[derive(Default)]
    Denied, "what becomes of a denied call":
    /// It answers an error.
    #[default]
    Error = "error",
    /// It answers an error, and the first of its kind is reported.
    Log = "log",
    /// It is reported, and the program ends.
    Kill = "kill",
}

words! {
    /// How a gate proves who is calling.
    GateKind, "a kind of gate":
    /// Every step requires what the step before it left in memory that only one
    /// side can write.
    Checked = "checked",
    /// Two WRPKRU and no proof: for callees without authority.
    Fast = "fast",
}

words! {
    /// Who may read a cubicle's constants.
    Rodata, "an audience of constants":
    /// Every cubicle.
    Public = "public",
    /// The cubicle alone.
    Private = "private",
}

words! {
    /// What happens when a cubicle faults.
    OnFault, "an answer to a fault":
    /// The program ends with a report.
    Abort = "abort",
    /// The cubicle is started again from its image, and calls that were pending
    /// return their declared fault.
    Restart = "restart",
}

words! {
    /// How a pointer argument crosses a gate.
    LendWord, "a way to lend":
    /// The callee may read it during the call.
    In = "in",
    /// The callee fills it during the call.
    Out = "out",
    /// Both.
    InOut = "inout",
    /// Passed through and never touched.
    Handle = "handle",
}

words! {
    /// What a negative length means.
    Negative, "a meaning of a negative length":
    /// The length of the C string that the pointer points to.
    CString = "cstr",
}

words! {
    /// What a lint rule does.
    #[derive(serde::Serialize, serde::Deserialize)]
    LintLevel, "a lint level":
    /// Nothing.
    Allow = "allow",
    /// It reports.
    Warn = "warn",
    /// It refuses the build.
    Deny = "deny",
}

//! The defences that a test can do without.
//!
//! An attack that is refused proves little: it might never have worked. So each
//! is tried again in a program from which the defence that should stop it is
//! left out, and must then succeed. Only the tool that the tests build for
//! themselves composes such programs, and they say so at start.

/// Gives each defence its name and its bit, in the order of the list.
macro_rules! defences {
    ($($(#[$meta:meta])* $variant:ident = $name:literal,)*) => {
        /// What a program of the tests can be without.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Defence {
            $($(#[$meta])* $variant,)*
        }

        impl Defence {
            /// All of them, in the order of their bits.
            pub const ALL: &[Defence] = &[$(Defence::$variant,)*];

            /// What tests call it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Defence::$variant => $name,)*
                }
            }
        }
    };
}

// A line for each; new ones go where they belong.
defences! {
    // System calls.
    /// A call needs a grant of the manifest.
    Grants = "grants",
    /// Some calls are refused whatever the manifest says.
    Refused = "refused",
    /// Without `@file` or `@net`, descriptors other than 0, 1 and 2 are closed.
    Descriptors = "descriptors",
    /// procfs and sysfs are closed.
    Procfs = "procfs",
    /// `files` narrows what path calls reach.
    Files = "files",
    /// What a path leads to is judged at a number that no cubicle can replace.
    HeldDescriptors = "held-descriptors",
    /// Devices are closed but for those that touch nobody's memory.
    Devices = "devices",
    /// What ioctl, fcntl, prctl and prlimit64 are asked for is looked at.
    Options = "options",
    /// Memory calls are confined to the caller's own memory.
    MemoryCalls = "memory-calls",
    /// The kernel does what is granted with the rights of who asks.
    CallersRights = "callers-rights",
    /// What the kernel would write at a thread's end is written with its cubicle's rights.
    ThreadWords = "thread-words",
    // Second walls.
    NoNewPrivileges = "no-new-privileges",
    NotDumpable = "not-dumpable",
    /// `mseal`.
    Sealed = "sealed",
    Landlock = "landlock",
    /// The seccomp filter.
    Filter = "filter",
    // Gates.
    /// Each cubicle's rights open its own memory, not that of all others.
    Rights = "rights",
    /// Each step of a call requires what the one before has left.
    GateProofs = "gate-proofs",
    /// Who has been made to run does not go back while anybody waits.
    Parking = "parking",
    /// DF, NT and AC are tested where rights change.
    Flags = "flags",
    /// Registers that carry nothing are cleared.
    Scrubbing = "scrubbing",
    // Lends.
    /// Nobody lends what it may not use itself.
    LendRights = "lend-rights",
    /// What crosses as a function is one that its sender may pass.
    Functions = "functions",
    /// What the monitor judges it has read once.
    ReadOnce = "read-once",
    /// A window gives only what it was opened for.
    WindowRights = "window-rights",
    /// What is reached by windows only is asked again where it is copied.
    Steady = "steady",
    // Signals.
    /// What a signal has interrupted keeps its place while the signal is on its way.
    SignalPlaces = "signal-places",
    /// A handler is shown nothing of another cubicle that it has interrupted.
    Interrupted = "interrupted",
    /// A handler's frame is written with the rights of its cubicle.
    SignalStacks = "signal-stacks",
    /// What a handler returns with is read with the rights of its cubicle.
    SignalFrames = "signal-frames",
}

/// A set of defences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Defences(pub [u64; 2]);

impl Defences {
    /// No defence: what every program is without but those of the tests.
    pub const NONE: Defences = Defences([0; 2]);

    pub const fn has(self, defence: Defence) -> bool {
        self.0[defence as usize / 64] >> (defence as usize % 64) & 1 == 1
    }

    pub const fn with(mut self, defence: Defence) -> Defences {
        self.0[defence as usize / 64] |= 1 << (defence as usize % 64);
        self
    }

    pub fn iter(self) -> impl Iterator<Item = Defence> {
        let all = Defence::ALL.iter().copied();
        all.filter(move |defence| self.has(*defence))
    }
}

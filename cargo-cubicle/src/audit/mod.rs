//! What an audit saw: the recording that the monitor of an audit build writes.
//!
//! ```text
//!   lines of JSON ─► recording ─ explain (symbols, source lines) ─► kept as a file
//!                        └─ render ─► one line for people for each thing it saw
//! ```
//!
//! From the file `draft` makes entries of a manifest.

mod explain;
mod record;
mod recording;
mod render;

pub use record::{
    AccessRecord, Again, Call, Callback, Gate, Line, Misuse, Position, Record, Refused, START,
    SystemCall, Touched, VERSION, Value, When,
};
pub use recording::{BUILD_FILE, FILE, Recording, RecordingError, split};

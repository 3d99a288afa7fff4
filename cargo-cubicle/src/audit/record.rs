//! What an audit wrote: one line of JSON for each record, of the kinds below.
//! docs/AUDIT.md describes them for others. The monitor knows addresses only; what
//! is `Option` behind them is added by the tool, which keeps the recording, so that
//! it can be read without the program.

use serde::{Deserialize, Serialize};

use crate::symbolize::{Access, Address, Place};

/// How every line begins, and what sets it apart from other output.
pub const START: &str = "{\"cubicle_audit\":";

/// The version of the lines described here.
pub const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// [`VERSION`].
    pub cubicle_audit: u32,
    #[serde(flatten)]
    pub record: Record,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// The first one.
    Start {
        /// Tells this build from all others.
        build: Address,
        /// The stem of the program's file.
        program: String,
    },
    Gate(Gate),
    Access(AccessRecord),
    Call(Call),
    Callback(Callback),
    SystemCall(SystemCall),
    Refused(Refused),
    Misuse(Misuse),
    Again(Again),
    /// The last one.
    End {
        /// How many records there was no room for.
        dropped: u64,
    },
}

/// A gate of the program, whether it was used or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Its number, by which other records name it.
    pub gate: usize,
    pub from: String,
    pub to: String,
    pub function: String,
    /// It calls functions that crossed as pointers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub callback: bool,
    pub calls: u64,
}

/// What one instruction does to one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRecord {
    pub cubicle: String,
    pub access: Access,
    pub owner: String,
    /// The first one's.
    pub address: Address,
    pub place: Place,
    pub instruction: Address,
    pub when: When,
    /// The gate in whose call the pointer crossed that leads there, and its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The function, if that was the call of a callback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<Address>,
    /// Bytes behind the pointer: where the lowest and the highest access began, and
    /// where one ended, if the monitor knows.
    pub low: i64,
    pub high: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<i64>,
    pub count: u64,
    /// Bytes that the instruction moves at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// The variable at the first address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
}

/// How what is touched came to be known to who touches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// It was passed in a call that is pending.
    Pending,
    /// It was passed in an earlier one.
    Later,
    /// An earlier one returned or left it.
    Returned,
    /// Nobody passed it.
    Never,
}

/// A place in the source.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// One call, with all that was passed and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub gate: usize,
    /// The function, if it was called by its address, and where that had crossed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through_gate: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    pub values: Vec<Value>,
}

/// An argument, a result, or something inside what a pointer leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// As the manifest calls it.
    pub path: String,
    pub before: Address,
    pub after: Address,
    /// Whose memory a pointer leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Bytes of the string there, with the terminating one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_after: Option<u64>,
    /// Not all that was touched was seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// The callee held the pointer afterwards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remembered: bool,
    /// It was looked whether it did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub searched: bool,
    /// It leads to constants, which everybody may read: that is not seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub constant: bool,
    /// It leads to a function.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub code: bool,
    /// What the callee did there first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Access>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<Touched>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Touched>,
}

/// Which bytes behind a pointer were touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    pub count: u64,
    pub low: i64,
    pub high: i64,
    /// Made the highest access; 0: see `end`.
    pub instruction: Address,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
}

/// A function that was called by its address, and that nobody described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Who called it, and whose it is.
    pub cubicle: String,
    pub owner: String,
    pub called: Address,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where it returns to.
    pub instruction: Address,
    pub count: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// A system call with a pointer to another cubicle's memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemCall {
    pub cubicle: String,
    pub owner: String,
    pub number: u64,
    /// From 0.
    pub argument: usize,
    pub address: Address,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    pub count: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A lend of the manifest's that could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub gate: usize,
    /// Its index among the gate's lends, or the number of the callback.
    pub lend: usize,
    pub address: Address,
    pub bytes: u64,
    /// `read`, `write` or `function`.
    pub why: String,
    pub count: u64,
}

/// A call about a window that answered an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Misuse {
    pub cubicle: String,
    /// The monitor's number of the call.
    pub number: u64,
    /// As `errno` has it.
    pub error: i32,
    /// Where it returns to.
    pub instruction: Address,
    pub count: u64,
    /// The call's name in C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// How often a pointer was passed that was passed before, or was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    pub gate: usize,
    pub path: String,
    /// How it was passed the last time before; nothing, if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_gate: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<String>,
    pub count: u64,
}

impl Touched {
    /// The byte behind the last one touched, as far as is known.
    pub fn end(&self) -> i64 {
        let seen = self.high + self.width.unwrap_or(1) as i64;
        match self.end {
            Some(end) if self.instruction.0 == 0 => end,
            Some(end) => end.max(seen),
            None => seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_back_as_they_were_written() {
        for text in [
            r#"{"cubicle_audit":1,"record":"start","build":"0x7f","program":"app-1"}"#,
            r#"{"cubicle_audit":1,"record":"gate","gate":3,"from":"app","to":"zlib","function":"deflate","calls":2}"#,
            r#"{"cubicle_audit":1,"record":"access","cubicle":"zlib","access":"read","owner":"app","address":"0x10","place":"heap","instruction":"0x20","when":"pending","gate":3,"path":"strm","low":0,"high":104,"count":9}"#,
            r#"{"cubicle_audit":1,"record":"call","gate":3,"values":[{"path":"strm","before":"0x10","after":"0x10","owner":"app","remembered":true,"searched":true,"first":"read","read":{"count":1,"low":0,"high":0,"instruction":"0x20","end":8}}]}"#,
            r#"{"cubicle_audit":1,"record":"system-call","cubicle":"a","owner":"b","number":1,"argument":1,"address":"0x1","count":1}"#,
            r#"{"cubicle_audit":1,"record":"misuse","cubicle":"a","number":1129644065,"error":22,"instruction":"0x1","count":1}"#,
            r#"{"cubicle_audit":1,"record":"end","dropped":0}"#,
        ] {
            let line: Line = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&line).unwrap(), text);
            assert!(text.starts_with(START));
        }
    }

    #[test]
    fn the_end_is_where_the_widest_access_ends() {
        let touched = |instruction, end, width| Touched {
            count: 1,
            low: 0,
            high: 16,
            instruction: Address(instruction),
            end,
            width,
        };
        assert_eq!(touched(1, None, Some(8)).end(), 24);
        assert_eq!(touched(1, Some(100), Some(8)).end(), 100);
        assert_eq!(touched(0, Some(10), None).end(), 10);
    }
}

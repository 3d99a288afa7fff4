//! A violation as the runtime reports it: one line of JSON. Fields that this
//! version does not know are passed over, so that the runtime may say more.

use std::fmt;

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How every record starts, and what sets it apart from other output.
pub const START: &str = "{\"cubicle_violation\":";

/// The version of the record that is described here.
pub const VERSION: u32 = 1;

/// One violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// [`VERSION`].
    pub cubicle_violation: u32,
    pub kind: Kind,
    pub mechanism: Mechanism,
    /// The cubicle whose code did it, or whose call: for a lend, the caller; for a
    /// callback, who passed the address. `None`
    /// if the rights in force were no cubicle's.
    #[serde(default)]
    pub cubicle: Option<String>,
    /// What it tried to do with `address`.
    #[serde(default)]
    pub access: Option<Access>,
    /// The address that it tried to reach.
    #[serde(default)]
    pub address: Option<Address>,
    /// Whose memory that is: a cubicle, or `monitor`.
    #[serde(default)]
    pub owner: Option<String>,
    #[serde(default)]
    pub place: Option<Place>,
    /// The instruction that did it; a lend and an abort have none.
    #[serde(default)]
    pub instruction: Option<Address>,
    /// If `address` was passed as a function: `FUNCTION.PATH` of the first place
    /// where those cross that are called as it would have been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<String>,
    /// The number of a system call that was denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<i64>,
    /// The signal that the kernel raised; 0 if the monitor noticed by itself.
    #[serde(default)]
    pub signal: i32,
    /// `si_code`; 4 with signal 11 is a protection key.
    #[serde(default)]
    pub code: i32,
    /// The protection key of the page.
    #[serde(default)]
    pub key: Option<u32>,
    /// More about it in words, or nothing.
    #[serde(default)]
    pub detail: String,
    /// What came of it; nothing is the end of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The calls through gates that were pending, outermost first.
    #[serde(default)]
    pub chain: Vec<Call>,
}

/// What comes of a violation that does not end the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The pending calls into the cubicle fail, and it starts anew.
    Restart,
    /// A denied call answers an error, and the program goes on.
    Error,
}

/// One pending call from cubicle to cubicle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub from: String,
    pub to: String,
    /// The function of `to` that was called.
    pub function: String,
    /// The return address in `from`.
    pub site: Address,
}

/// What kind of rule was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Memory that the cubicle may not touch.
    Access,
    /// A gate that was used otherwise than by calling it.
    Gate,
    /// A system call that the cubicle may not make.
    SystemCall,
    /// An instruction that the cubicle may not execute.
    Instruction,
    /// The cubicle ended itself.
    Abort,
    /// A fault that has nothing to do with borders; the program ends with its
    /// signal, as it would have ended plainly.
    Crash,
    /// A call whose argument could not be lent as the manifest says; `detail` says why.
    Lend,
    /// An address passed as a function that is none the cubicle may pass; `detail`
    /// says why.
    Callback,
}

/// What enforces the borders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    Pku,
    Pagetable,
    /// Nothing: a benchmark build.
    StandIn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    Read,
    Write,
    Execute,
}

/// What lives at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    Heap,
    Stack,
    Data,
    Constants,
    Text,
    /// The frame that a cubicle keeps for its gates, per thread.
    Frame,
    Monitor,
    Unmapped,
}

/// An address of the program: in JSON a string, `"0x…"`, since JSON's numbers
/// are not good for 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(pub u64);

impl fmt::Display for Address {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(text, "{:#x}", self.0)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.strip_prefix("0x")
            .filter(|digits| !digits.starts_with('+'))
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .map(Address)
            .ok_or_else(|| {
                D::Error::invalid_value(Unexpected::Str(&text), &"an address such as \"0x401000\"")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"cubicle_violation":1,"kind":"access","mechanism":"pku","cubicle":"codec","access":"write","address":"0xffffffffffff0000","owner":"app","place":"data","instruction":"0x10001234","signal":11,"code":4,"key":3,"detail":"","chain":[{"from":"app","to":"codec","function":"decode","site":"0x401050"}]}"#;

    #[test]
    fn is_one_line_that_reads_back_as_it_was_written() {
        assert!(LINE.starts_with(START));
        let record: Record = serde_json::from_str(LINE).unwrap();
        assert_eq!(record.address, Some(Address(0xffff_ffff_ffff_0000)));
        assert_eq!(record.chain[0].site, Address(0x40_1050));
        assert_eq!(serde_json::to_string(&record).unwrap(), LINE);
    }

    #[test]
    fn tolerates_more_and_less_than_it_knows() {
        let more = LINE.replacen("\"kind\"", "\"thread\":[7],\"kind\"", 1);
        assert_eq!(
            serde_json::from_str::<Record>(&more).unwrap(),
            serde_json::from_str(LINE).unwrap()
        );
        let less = r#"{"cubicle_violation":1,"kind":"system-call","mechanism":"stand-in","cubicle":null,"access":null}"#;
        let record: Record = serde_json::from_str(less).unwrap();
        assert_eq!(
            (
                record.kind,
                record.address,
                record.instruction,
                record.chain.len()
            ),
            (Kind::SystemCall, None, None, 0)
        );
    }

    #[test]
    fn refuses_what_is_no_address() {
        for bad in [
            "\"12\"",
            "\"0x\"",
            "\"0x+1\"",
            "\"0x10000000000000000\"",
            "12",
        ] {
            assert!(serde_json::from_str::<Address>(bad).is_err(), "{bad}");
        }
    }
}

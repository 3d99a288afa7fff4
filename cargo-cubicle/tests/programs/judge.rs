//! Compares what a program did with what it had to do.

use camino::Utf8Path;
use cargo_cubicle::symbolize::{Binary, Record, Style, symbolize};
use cargo_cubicle::vm::{Outcome, Status};
use serde::Deserialize;
use serde_json::Value;

use crate::program::{Ending, Mechanism, Restarts, Run};

/// What a monitor without protection keys says at every start.
const ANNOUNCEMENT: &str = "cubicle: no protection keys here: page tables stop stray accesses, not an attacker who runs code";

/// What begins the line that a program without some defences says first.
const LEFT_OUT: &str = "cubicle: TEST BUILD: nothing is protected, left out:";

/// What is wrong, if anything is.
pub fn judge(
    program: &Utf8Path,
    run: &Run,
    outcome: &Outcome,
    mechanism: Mechanism,
) -> Option<String> {
    let stdout = String::from_utf8_lossy(&outcome.stdout);
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    let mut records = Vec::new();
    let mut others = String::new();
    let mut announced = false;
    let mut left_out = Vec::new();
    for line in stderr.lines() {
        match serde_json::from_str::<Value>(line) {
            Ok(record) if record.get("cubicle_violation").is_some() => records.push(record),
            _ if line == ANNOUNCEMENT => announced = true,
            _ if line.starts_with(LEFT_OUT) => {
                left_out.extend(line[LEFT_OUT.len()..].split_whitespace());
                left_out.sort_unstable();
            }
            _ => others.push_str(&format!("{line}\n")),
        }
    }
    let all = records.len();
    records.retain(|record| {
        record
            .get("outcome")
            .is_none_or(|outcome| outcome != "restart")
    });
    let restarts = all - records.len();
    let quiet = records.is_empty() && outcome.status == Status::Exit(0) && others.is_empty();
    if run.harmless.as_deref() == Some(&*stdout) && quiet {
        return None;
    }
    let mut wrong = Vec::new();
    if left_out != run.without {
        wrong.push(format!(
            "it went without {left_out:?}, not {:?}",
            run.without
        ));
    }
    let own_crash = match (&run.violation, records.as_slice()) {
        (Some(fields), [record]) => fields
            .get("kind")
            .and_then(|kinds| own_crash(kinds, record)),
        _ => None,
    };
    let expected = match own_crash.map_or(run.ending, Ending::Signal) {
        Ending::Status(status) => Status::Exit(status),
        Ending::Signal(signal) => Status::Signal(signal),
    };
    if outcome.status != expected {
        wrong.push(format!("ended with {}, not {expected}", outcome.status));
    }
    if stdout != run.stdout {
        wrong.push(format!("stdout is not {:?}", run.stdout));
    }
    if others != run.stderr {
        wrong.push(format!("stderr is not {:?}", run.stderr));
    }
    // Who refuses to start has nothing to announce.
    let refused = run.ending == Ending::Status(cubicle_abi::STATUS_REFUSED);
    if announced != (mechanism != Mechanism::Pku && !refused) {
        wrong.push("it did not run under this mechanism".to_owned());
    }
    let as_wanted = match run.restarts {
        Restarts::Exactly(count) => restarts == count,
        Restarts::Some => restarts > 0,
    };
    if !as_wanted {
        wrong.push(format!(
            "{restarts} records of restarts instead of {:?}",
            run.restarts
        ));
    }
    match (&run.violation, records.as_slice()) {
        (None, []) => {}
        (Some(fields), [record]) => {
            let named = record.get("mechanism").and_then(Value::as_str);
            if named != Some(mechanism.name()) {
                wrong.push(format!("the record names mechanism {named:?}"));
            }
            for (key, value) in fields {
                let found = field(record, key);
                let own_crash = key == "kind" && own_crash.is_some();
                if !own_crash && !value.split('|').any(|value| found == value) {
                    wrong.push(format!("the record's {key} is {found}, not {value}"));
                }
            }
        }
        (wanted, found) => wrong.push(format!(
            "{} violation records instead of {}",
            found.len(),
            usize::from(wanted.is_some())
        )),
    }
    if let (Some(words), [record]) = (&run.report, records.as_slice()) {
        let record = Record::deserialize(record).unwrap();
        let binary = Binary::open(program).unwrap();
        let report = symbolize(&record, &binary).render(&Style::default());
        if !report.contains(words) {
            wrong.push(format!("its report does not say {words:?}:\n{report}\n"));
        }
    }
    (!wrong.is_empty()).then(|| {
        format!(
            "{}\n    stdout: {:.1000}\n    stderr: {:.2000}",
            wrong.join("; "),
            format!("{stdout:?}"),
            format!("{stderr:?}")
        )
    })
}

/// The signal of a crash of the cubicle that `kinds` permits to crash by itself.
fn own_crash(kinds: &str, record: &Value) -> Option<i32> {
    let cubicle = kinds
        .split('|')
        .find_map(|kind| kind.strip_prefix("crash:"))?;
    let crashed = record.get("kind")? == "crash" && record.get("cubicle")? == cubicle;
    let signal = record.get("signal")?.as_i64()?;
    crashed.then_some(i32::try_from(signal).ok()?)
}

/// A field as text; of the chain, the functions.
fn field(record: &Value, key: &str) -> String {
    match record.get(key) {
        None => "absent".to_owned(),
        Some(Value::String(text)) => text.replace(' ', "_"),
        Some(Value::Array(calls)) => {
            let functions = calls
                .iter()
                .filter_map(|call| call.get("function")?.as_str());
            functions.collect::<Vec<_>>().join(",")
        }
        Some(other) => other.to_string(),
    }
}

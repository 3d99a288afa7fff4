//! Recordings, sorted by function.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::{AccessRecord, Again, Call, Callback, Gate, Record, Recording, Value, When};

/// What was seen of one function.
#[derive(Debug, Default)]
pub struct Calls {
    /// How often it was called.
    pub count: u64,
    /// Who calls it.
    pub callers: BTreeSet<String>,
    /// Calls with all their values, a choice.
    pub samples: Vec<Sample>,
    /// What was done to its pointers' targets outside of its calls.
    pub later: Vec<AccessRecord>,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Sample {
    pub values: BTreeMap<String, Value>,
}

/// A function that was called by its address.
#[derive(Debug, Clone)]
pub struct Called {
    pub callback: Callback,
    pub samples: Vec<Sample>,
    /// Who called it touched what it returned.
    pub result_touched: bool,
}

/// Where a pointer crosses: cubicle, function and path.
pub type Crossing = (String, String, String);

/// Everything.
#[derive(Debug, Default)]
pub struct Evidence {
    /// By the cubicle that has the function, and its name.
    pub functions: BTreeMap<(String, String), Calls>,
    /// By where they had crossed.
    pub called: BTreeMap<Crossing, Vec<Called>>,
    /// How an argument was passed the last time before; never: `None`.
    pub again: BTreeMap<Crossing, BTreeMap<Option<Crossing>, u64>>,
    /// What no entry of a function's table can mend, in words.
    pub remarks: BTreeSet<String>,
    /// Programs were watched; otherwise nothing is known but who could call what.
    pub recorded: bool,
}

impl Evidence {
    pub fn of(recordings: &[Recording]) -> Evidence {
        let mut evidence = Evidence {
            recorded: true,
            ..Evidence::default()
        };
        for recording in recordings {
            Reader {
                recording,
                gates: recording.gates().map(|gate| (gate.gate, gate)).collect(),
            }
            .read(&mut evidence);
        }
        evidence
    }

    /// Nothing was recorded; these functions, each with its cubicle, could be called.
    pub fn of_types(functions: impl IntoIterator<Item = (String, String)>) -> Evidence {
        Evidence {
            functions: functions
                .into_iter()
                .map(|function| (function, Calls::default()))
                .collect(),
            ..Evidence::default()
        }
    }
}

struct Reader<'a> {
    recording: &'a Recording,
    gates: BTreeMap<usize, &'a Gate>,
}

impl Reader<'_> {
    fn read(&self, evidence: &mut Evidence) {
        for gate in self.gates.values() {
            let key = (gate.to.clone(), gate.function.clone());
            let calls = evidence.functions.entry(key).or_default();
            calls.count += gate.calls;
            calls.callers.insert(gate.from.clone());
        }
        for record in &self.recording.records {
            if let Record::Callback(callback) = record {
                self.callback(callback, evidence);
            }
        }
        for record in &self.recording.records {
            match record {
                Record::Call(call) => self.call(call, evidence),
                Record::Again(again) => self.again(again, evidence),
                Record::Access(access) => self.access(access, evidence),
                Record::SystemCall(call) if call.path.is_none() => {
                    evidence.remarks.insert(format!(
                        "`{}` passes memory of `{}` to the system call {}, and nothing says how it knows it",
                        call.cubicle,
                        call.owner,
                        call.name.clone().unwrap_or_else(|| call.number.to_string()),
                    ));
                }
                _ => {}
            }
        }
        // What callbacks return is touched after they have returned.
        for record in &self.recording.records {
            if let Record::Access(access) = record {
                self.result(access, evidence);
            }
        }
    }

    fn crossing(&self, gate: Option<usize>, path: Option<&String>) -> Option<Crossing> {
        let gate = self.gates.get(&gate?)?;
        Some((gate.to.clone(), gate.function.clone(), path?.clone()))
    }

    fn call(&self, call: &Call, evidence: &mut Evidence) {
        let values = call.values.iter();
        let sample = Sample {
            values: values
                .map(|value| (value.path.clone(), value.clone()))
                .collect(),
        };
        if call.called.is_some() {
            let through = self.crossing(call.through_gate, call.through.as_ref());
            let called = through.and_then(|through| evidence.called.get_mut(&through));
            let called = called.into_iter().flatten();
            for one in called.filter(|one| Some(one.callback.called) == call.called) {
                one.samples.push(sample.clone());
            }
            return;
        }
        let Some(gate) = self.gates.get(&call.gate) else {
            return;
        };
        if gate.callback {
            self.remark_callback(gate, call, evidence);
        }
        let key = (gate.to.clone(), gate.function.clone());
        evidence
            .functions
            .entry(key)
            .or_default()
            .samples
            .push(sample);
    }

    /// What a callback is called with, and its table does not say.
    fn remark_callback(&self, gate: &Gate, call: &Call, evidence: &mut Evidence) {
        let touched = call
            .values
            .iter()
            .filter(|value| value.read.is_some() || value.written.is_some());
        for value in touched {
            let ends = [&value.read, &value.written];
            let end = ends
                .iter()
                .filter_map(|side| Some(side.as_ref()?.end()))
                .max();
            evidence.remarks.insert(format!(
                "`{}` is called with `{}`, which leads to memory of `{}`, and `{}` touches {} bytes of it: \
                 describe it in the table of that callback",
                gate.function,
                value.path,
                gate.from,
                gate.to,
                end.unwrap_or(0),
            ));
        }
    }

    fn callback(&self, callback: &Callback, evidence: &mut Evidence) {
        let Some(through) = self.crossing(callback.gate, callback.path.as_ref()) else {
            evidence.remarks.insert(format!(
                "`{}` calls `{}` of `{}`, and nothing says how it knows that function",
                callback.cubicle,
                callback.function.as_deref().unwrap_or("a function"),
                callback.owner,
            ));
            return;
        };
        let called = Called {
            callback: callback.clone(),
            samples: Vec::new(),
            result_touched: false,
        };
        evidence.called.entry(through).or_default().push(called);
    }

    fn again(&self, again: &Again, evidence: &mut Evidence) {
        let Some(crossing) = self.crossing(Some(again.gate), Some(&again.path)) else {
            return;
        };
        let earlier = self.crossing(again.earlier_gate, again.earlier.as_ref());
        let before = evidence.again.entry(crossing).or_default();
        *before.entry(earlier).or_default() += again.count;
    }

    fn access(&self, access: &AccessRecord, evidence: &mut Evidence) {
        if access.called.is_some() || access.when == When::Pending {
            return;
        }
        if access.when == When::Never {
            let what = match &access.variable {
                Some(variable) => format!("`{variable}` of `{}`", access.owner),
                None => format!("memory of `{}`", access.owner),
            };
            let place = access.position.as_ref().and_then(|at| at.function.clone());
            let place = place.map_or(String::new(), |name| format!(" in `{name}`"));
            evidence.remarks.insert(format!(
                "`{}` touches {what}{place}, to which no pointer that crossed leads: a window, or `sees`",
                access.cubicle
            ));
            return;
        }
        let Some(gate) = access.gate.and_then(|gate| self.gates.get(&gate)) else {
            return;
        };
        let key = (gate.to.clone(), gate.function.clone());
        evidence
            .functions
            .entry(key)
            .or_default()
            .later
            .push(access.clone());
    }

    fn result(&self, access: &AccessRecord, evidence: &mut Evidence) {
        let of_result = access.path.as_deref() == Some("result");
        let (Some(function), When::Returned, true) = (access.called, access.when, of_result) else {
            return;
        };
        for called in evidence.called.values_mut().flatten() {
            if called.callback.called == function && called.callback.cubicle == access.cubicle {
                called.result_touched = true;
            }
        }
    }
}

//! The recording: one line of JSON for each record. docs/AUDIT.md describes them.

use super::MEMORY;
use super::memory::{
    Access, Call, Memory, Origin, SEEN_CODE, SEEN_CONSTANT, SEEN_PRESENT, SEEN_REMEMBERED,
    SEEN_SEARCHED, SEEN_TRUNCATED, Seen, Touched,
};
use crate::plan::Plan;
use crate::text::Text;
use core::fmt::Write;
use cubicle_abi::rights::Rights;

type Line = Text<65536>;

/// Writes all that was noted, once, to where reports go.
pub fn write() {
    let Some(plan) = crate::process::plan() else {
        return;
    };
    if super::on() {
        // Addresses are looked up in everybody's tables and frames.
        crate::machine::rights::open(Rights::NONE, Rights::ALL);
    }
    // A report may have interrupted whoever notes something.
    let Some(mut guard) = super::on().then(|| MEMORY.try_lock()).flatten() else {
        return;
    };
    let Some(memory) = guard.as_deref_mut() else {
        return;
    };
    if memory.written != 0 {
        return;
    }
    memory.written = 1;
    let line = &raw mut memory.line;
    // SAFETY: nothing below uses the memory's line but the writer.
    let line = unsafe { &mut *line };
    let writer = &mut Writer { line, plan };
    writer.start();
    writer.gates(memory);
    for access in memory.accesses.iter().filter(|one| one.touched.count > 0) {
        writer.access(access);
    }
    for call in memory.samples.all().iter().chain(memory.calls.all()) {
        writer.call(call);
    }
    writer.others(memory);
    let dropped = memory.accesses_dropped
        + memory.samples.dropped
        + memory.callbacks.dropped
        + memory.system_calls.dropped
        + memory.refused.dropped
        + memory.misuses.dropped
        + memory.again.dropped;
    writer.begin("end");
    writer.number("dropped", dropped as i64);
    writer.end();
}

struct Writer<'a> {
    line: &'a mut Line,
    plan: Plan,
}

impl Writer<'_> {
    fn begin(&mut self, record: &str) {
        self.line.clear();
        let _ = write!(self.line, "{{\"cubicle_audit\":1,\"record\":\"{record}\"");
    }

    fn end(&mut self) {
        let _ = self.line.write_str("}\n");
        crate::violation::report(self.line.bytes());
    }

    fn number(&mut self, key: &str, number: i64) {
        let _ = write!(self.line, ",\"{key}\":{number}");
    }

    fn address(&mut self, key: &str, address: u64) {
        let _ = write!(self.line, ",\"{key}\":\"{address:#x}\"");
    }

    fn text(&mut self, key: &str, text: &[u8]) {
        let _ = write!(self.line, ",\"{key}\":\"");
        self.line.json(text);
        let _ = self.line.write_str("\"");
    }

    fn name(&mut self, key: &str, cubicle: u32) {
        let name = self.plan.name(cubicle as usize);
        self.text(key, name);
    }

    /// Gate and path of a pointer that crossed.
    fn origin(&mut self, keys: (&str, &str), origin: Origin) {
        let Some(number) = origin.gate() else {
            return;
        };
        self.number(keys.0, number as i64);
        let gate = &self.plan.gates()[number];
        if let Some(probe) = self.plan.probes(gate).get(origin.probe as usize) {
            let path = self.plan.bytes(probe.path);
            self.text(keys.1, path);
        }
    }

    fn start(&mut self) {
        self.begin("start");
        self.address("build", self.plan.header().build);
        let name = self.plan.bytes(self.plan.header().name);
        self.text("program", name);
        self.end();
    }

    fn gates(&mut self, memory: &Memory) {
        for (number, gate) in self.plan.gates().iter().enumerate() {
            if gate.from == u32::MAX {
                continue;
            }
            self.begin("gate");
            self.number("gate", number as i64);
            self.name("from", gate.from);
            self.name("to", gate.to);
            let name = self.plan.bytes(gate.name);
            self.text("function", name);
            if gate.callback != 0 {
                let _ = self.line.write_str(",\"callback\":true");
            }
            let count = memory.counts.get(number).copied().unwrap_or(0);
            self.number("calls", count as i64);
            self.end();
        }
    }

    fn access(&mut self, access: &Access) {
        self.begin("access");
        self.name("cubicle", access.cubicle);
        let kind: &[u8] = if access.write == 1 { b"write" } else { b"read" };
        self.text("access", kind);
        self.name("owner", access.owner);
        self.address("address", access.address);
        let (_, place) = crate::violation::owner_and_place(access.address);
        self.text("place", place.as_bytes());
        self.address("instruction", access.instruction);
        self.text(
            "when",
            match access.when {
                1 => b"pending",
                2 => b"later",
                3 => b"returned",
                _ => b"never",
            },
        );
        self.origin(("gate", "path"), access.origin);
        if access.function != 0 {
            self.address("called", access.function);
        }
        self.number("low", access.touched.low);
        self.number("high", access.touched.high);
        if access.touched.end > i64::MIN {
            self.number("end", access.touched.end);
        }
        self.number("count", access.touched.count as i64);
        self.end();
    }

    fn call(&mut self, call: &Call) {
        self.begin("call");
        self.number("gate", i64::from(call.gate));
        if call.function != 0 {
            self.address("called", call.function);
            self.origin(("through_gate", "through"), call.through);
        }
        let _ = self.line.write_str(",\"values\":[");
        let gate = &self.plan.gates()[call.gate as usize];
        let probes = self.plan.probes(gate).iter();
        let mut first = true;
        for (seen, probe) in call.seen.iter().zip(probes) {
            if seen.flags & SEEN_PRESENT == 0 {
                continue;
            }
            if !core::mem::take(&mut first) {
                let _ = self.line.write_str(",");
            }
            let _ = self.line.write_str("{\"path\":\"");
            let path = self.plan.bytes(probe.path);
            self.line.json(path);
            let _ = self.line.write_str("\"");
            self.seen(seen);
            let _ = self.line.write_str("}");
        }
        let _ = self.line.write_str("]");
        self.end();
    }

    fn seen(&mut self, seen: &Seen) {
        self.address("before", seen.before);
        self.address("after", seen.after);
        if seen.owner != 0 {
            self.name("owner", seen.owner - 1);
        }
        for (key, length) in [("string", seen.string), ("string_after", seen.string_after)] {
            if length > 0 {
                self.number(key, i64::from(length));
            }
        }
        for (flag, key) in [
            (SEEN_TRUNCATED, "truncated"),
            (SEEN_REMEMBERED, "remembered"),
            (SEEN_SEARCHED, "searched"),
            (SEEN_CONSTANT, "constant"),
            (SEEN_CODE, "code"),
        ] {
            if seen.flags & flag != 0 {
                let _ = write!(self.line, ",\"{key}\":true");
            }
        }
        match seen.first {
            1 => self.text("first", b"read"),
            2 => self.text("first", b"write"),
            _ => {}
        }
        self.touched("read", &seen.read);
        self.touched("written", &seen.written);
    }

    fn touched(&mut self, key: &str, touched: &Touched) {
        if touched.count == 0 {
            return;
        }
        let _ = write!(
            self.line,
            ",\"{key}\":{{\"count\":{},\"low\":{},\"high\":{}",
            touched.count, touched.low, touched.high
        );
        self.address("instruction", touched.instruction);
        if touched.end > i64::MIN {
            self.number("end", touched.end);
        }
        let _ = self.line.write_str("}");
    }

    fn others(&mut self, memory: &Memory) {
        for one in memory.callbacks.all() {
            self.begin("callback");
            self.name("cubicle", one.cubicle);
            self.name("owner", one.owner);
            self.address("called", one.function);
            self.origin(("gate", "path"), one.origin);
            self.address("instruction", one.site);
            self.number("count", one.count as i64);
            self.end();
        }
        for one in memory.system_calls.all() {
            self.begin("system-call");
            self.name("cubicle", one.cubicle);
            self.name("owner", one.owner);
            self.number("number", i64::from(one.number));
            self.number("argument", i64::from(one.argument));
            self.address("address", one.address);
            self.origin(("gate", "path"), one.origin);
            self.number("count", one.count as i64);
            self.end();
        }
        for one in memory.refused.all() {
            self.begin("refused");
            self.number("gate", i64::from(one.gate));
            self.number("lend", i64::from(one.lend));
            self.address("address", one.address);
            self.number("bytes", one.bytes as i64);
            self.text(
                "why",
                match one.why {
                    0 => b"read",
                    1 => b"write",
                    _ => b"function",
                },
            );
            self.number("count", one.count as i64);
            self.end();
        }
        for one in memory.misuses.all() {
            self.begin("misuse");
            self.name("cubicle", one.cubicle);
            self.number("number", one.number as i64);
            self.number("error", i64::from(one.error));
            self.address("instruction", one.instruction);
            self.number("count", one.count as i64);
            self.end();
        }
        for one in memory.again.all() {
            self.begin("again");
            self.origin(("gate", "path"), one.origin);
            self.origin(("earlier_gate", "earlier"), one.earlier);
            self.number("count", one.count as i64);
            self.end();
        }
    }
}

//! What a function's description lends, and which functions it lets the callee call.

use std::collections::BTreeMap;

use super::Program;
use crate::manifest::{
    Argument, ArgumentRule, Callback, Direction, Function, Lend, Negative, ResultKind, ResultRule,
    Unit,
};

/// Enters what calls of `function` from `from` to `to` bring with them.
pub fn of_function(function: &Function, from: &str, to: &str, program: &mut Program) {
    let call = Call {
        from,
        to,
        name: &function.name.value,
    };
    call.enter(&function.args, function.result.as_ref(), program);
}

/// Calls of one function, or of one that crossed as a pointer.
struct Call<'a> {
    from: &'a str,
    to: &'a str,
    name: &'a str,
}

impl Call<'_> {
    fn enter(
        &self,
        args: &BTreeMap<String, Argument>,
        result: Option<&ResultRule>,
        program: &mut Program,
    ) {
        for argument in args.values() {
            let path = argument.path.value.to_string();
            self.rule(&path, &argument.rule, program);
        }
        match result.map(|result| &result.rule) {
            // Memory of the callee's that the caller gets to read.
            Some(ResultKind::Like(ArgumentRule::Lend(lend))) => {
                self.lent(self.to, self.from, "result", lend, program);
            }
            Some(ResultKind::Like(ArgumentRule::Callback(callback))) => {
                self.callback(self.to, self.from, "result", callback, program);
            }
            _ => {}
        }
    }

    fn rule(&self, path: &str, rule: &ArgumentRule, program: &mut Program) {
        match rule {
            ArgumentRule::Lend(lend) => self.lent(self.from, self.to, path, lend, program),
            ArgumentRule::Callback(callback) => {
                self.callback(self.from, self.to, path, callback, program);
            }
            // Nothing of the caller's memory is touched.
            ArgumentRule::Handle | ArgumentRule::Value(_) => {}
        }
    }

    fn lent(&self, owner: &str, guest: &str, path: &str, lend: &Lend, program: &mut Program) {
        if let Some(guest) = program.cubicle.get_mut(guest) {
            let line = format!("{owner}: {}: {path} {}", self.name, text_of(lend));
            guest.lent.insert(line);
        }
    }

    /// `owner` passes a function that `guest` may call.
    fn callback(
        &self,
        owner: &str,
        guest: &str,
        path: &str,
        callback: &Callback,
        program: &mut Program,
    ) {
        if let Some(guest) = program.cubicle.get_mut(guest) {
            let line = format!("{owner}: {}: {path}", self.name);
            guest.callbacks.insert(line);
        }
        let name = format!("{}.{path}", self.name);
        let call = Call {
            from: guest,
            to: owner,
            name: &name,
        };
        call.enter(&callback.args, callback.result.as_deref(), program);
    }
}

/// `in, length bytes`
fn text_of(lend: &Lend) -> String {
    let direction = match lend.direction.value {
        Direction::In => "in",
        Direction::Out => "out",
        Direction::InOut => "inout",
    };
    let unit = match lend.unit {
        Unit::Bytes => "bytes",
        Unit::Elements => "elements",
    };
    let mut text = format!("{direction}, {} {unit}", lend.extent.value);
    if let Some(Negative::CString) = lend.negative.as_ref().map(|negative| negative.value) {
        text.push_str(", a string if negative");
    }
    if let Some(until) = &lend.keep {
        text.push_str(&format!(", kept until {}", until.value));
    }
    text
}

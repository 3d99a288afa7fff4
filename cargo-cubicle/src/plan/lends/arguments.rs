//! The arguments of a function, by name and by position.

use std::collections::BTreeMap;

use cubicle_abi::plan::ArgumentPlace;

use super::{Subject, missing};
use crate::diagnostics::{Finding, Findings};
use crate::graph::shape::{CallShape, Place};
use crate::graph::signature::{Signature, Type};
use crate::manifest::{Argument, ArgumentPath, Base, Function, Located};
use crate::suggest::similar;

/// The stack's words follow the six integer registers.
const FIRST_STACK_WORD: ArgumentPlace = 6;

/// One argument of the function: a parameter or a declared variadic slot.
pub(super) struct Known<'a> {
    /// The name if there is one.
    name: Option<&'a str>,
    /// How messages call it: its name, or `#1` and so on.
    pub(super) label: String,
    pub(super) type_: &'a Type,
    place: Place,
}

impl Known<'_> {
    /// Where it travels, if that is one integer register or one stack word.
    pub(super) fn word(&self) -> Option<ArgumentPlace> {
        match self.place {
            Place::Integer(register) => Some(u32::from(register)),
            Place::Stack { word, words: 1 } => Some(FIRST_STACK_WORD + word),
            _ => None,
        }
    }
}

/// All of them, in order.
pub(super) struct Arguments<'a> {
    list: Vec<Known<'a>>,
}

/// What the manifest says about arguments, by index among [`Arguments`].
pub(super) type Described<'a> = BTreeMap<usize, &'a Argument>;

impl<'a> Arguments<'a> {
    pub(super) fn of(signature: &'a Signature, shape: &CallShape) -> Self {
        let named = signature.parameters.iter();
        let named = named.map(|parameter| (parameter.name.as_deref(), &parameter.type_));
        let slots = signature.slots.iter().flatten().map(|type_| (None, type_));
        let list = named
            .chain(slots)
            .zip(&shape.parameters)
            .enumerate()
            .map(|(index, ((name, type_), place))| Known {
                name,
                label: name.map_or_else(|| format!("#{}", index + 1), str::to_owned),
                type_,
                place: *place,
            })
            .collect();
        Arguments { list }
    }

    /// The argument of an index that [`Arguments::find`] answered.
    pub(super) fn get(&self, index: usize) -> &Known<'a> {
        &self.list[index]
    }

    /// The index of the argument a path begins with.
    pub(super) fn find(&self, base: &Base) -> Option<usize> {
        match base {
            Base::Name(name) => self
                .list
                .iter()
                .position(|known| known.name == Some(name.as_str())),
            Base::Position(position) => {
                let index = (*position as usize).checked_sub(1)?;
                (index < self.list.len()).then_some(index)
            }
        }
    }
}

impl Subject<'_> {
    /// The index of the argument that `path` names, which stands at `at`.
    pub(super) fn find<T>(&self, path: &ArgumentPath, at: &Located<T>) -> Result<usize, Finding> {
        if path.is_nested() {
            return Err(missing(self, at, "a path into a struct"));
        }
        self.arguments
            .find(&path.base)
            .ok_or_else(|| self.no_such(path, at))
    }

    fn no_such<T>(&self, path: &ArgumentPath, at: &Located<T>) -> Finding {
        let list = &self.arguments.list;
        let message = format!("{} has no argument `{path}`", self.title());
        let mut finding = self.error(at, message, "");
        if list.is_empty() {
            return finding.help("it takes no arguments");
        }
        if let Base::Name(name) = &path.base
            && let Some(near) = similar(name, list.iter().filter_map(|known| known.name))
        {
            finding = finding.help(format!("there is one called `{near}`"));
        }
        if list.iter().all(|known| known.name.is_none()) {
            finding = finding.help(
                "nothing says how its arguments are called: write positions such as `\"#1\"`",
            );
        }
        let labels: Vec<String> = list
            .iter()
            .map(|known| format!("`{}`", known.label))
            .collect();
        finding.help(format!("its arguments are {}", labels.join(", ")))
    }
}

/// Finds the argument that each entry is about.
pub(super) fn described<'a>(
    subject: &Subject,
    function: &'a Function,
    findings: &mut Findings,
) -> Described<'a> {
    let mut described: Described = BTreeMap::new();
    for argument in function.args.values() {
        let index = match subject.find(&argument.path, &argument.path) {
            Ok(index) => index,
            Err(finding) => {
                findings.push(finding);
                continue;
            }
        };
        if let Some(other) = described.get(&index) {
            let (first, second) = if other.path.span.start < argument.path.span.start {
                (&other.path, &argument.path)
            } else {
                (&argument.path, &other.path)
            };
            let label = &subject.arguments.get(index).label;
            let message = format!("`{label}` of {} is described twice", subject.title());
            findings.push(
                subject
                    .error(second, message, "again here")
                    .at(subject.policy.place(&first.span, "first here"))
                    .help("remove one of the two"),
            );
            continue;
        }
        described.insert(index, argument);
    }
    described
}

//! From `*destLen`, `strm.avail_in` and their kin to numbers the monitor can
//! compute.

use cubicle_abi::plan::{
    EXTENT_ADVANCE, EXTENT_PRODUCT, EXTENT_PRODUCT_OR_STRING, EXTENT_STRING, Extent, Operand,
    PLACE_RESULT, Place,
};

use super::draft::{Holder, Span, field, holder};
use super::paths::{Outcome, Purpose};
use super::reach::Use;
use super::{Resolver, constant, key};
use crate::diagnostics::Finding;
use crate::graph::signature::{Pointer, Type, TypeKind};
use crate::manifest::{ArgumentPath, Base, Direction, Extent as Written, Located, Unit};

/// What an extent is about.
pub(super) struct Counted<'a> {
    /// How messages call it.
    pub(super) label: String,
    /// Its type.
    pub(super) pointer: &'a Pointer,
    pub(super) unit: Unit,
    /// Whether a negative length means a string.
    pub(super) negative: bool,
    /// Its draft; a result has none to which others refer.
    pub(super) draft: Option<usize>,
}

/// When an extent is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Before the call, from what the caller passes.
    Before,
    /// After it, from what the callee wrote.
    After,
}

impl<'a> Resolver<'a> {
    /// All extents of what is lent.
    pub(super) fn measure(&mut self) {
        for draft in 0..self.drafts.len() {
            let Some(range) = &self.drafts[draft].range else {
                continue;
            };
            let (Some(rule), Some(pointer)) = (range.rule, range.pointer) else {
                continue;
            };
            let counted = Counted {
                label: self.drafts[draft].label.clone(),
                pointer,
                unit: rule.unit,
                negative: rule.negative.is_some(),
                draft: Some(draft),
            };
            let extent = self.extent(&counted, &rule.extent, When::Before);
            let used = match &rule.used {
                None => Ok(Extent::default()),
                Some(used) if rule.direction.value == Direction::In => Err(Some(
                    self.error(
                        &used.span,
                        "`used` says how much of an \"out\" or \"inout\" range was written",
                        "this one is lent \"in\"",
                    )
                    .help("remove it, or lend \"out\" or \"inout\""),
                )),
                Some(used) => self.extent(&counted, used, When::After),
            };
            match (extent, used) {
                (Ok(extent), Ok(used)) => {
                    self.drafts[draft].lend.extent = extent;
                    self.drafts[draft].lend.used = used;
                    if let Some(negative) = &rule.negative {
                        let finding = self.never_negative(&counted, &negative.span, &extent);
                        self.findings.extend(finding);
                    }
                }
                (extent, used) => {
                    self.drafts[draft].good = false;
                    self.findings.extend(extent.err().flatten());
                    self.findings.extend(used.err().flatten());
                }
            }
        }
    }

    pub(super) fn extent(
        &mut self,
        counted: &Counted<'a>,
        at: &Located<Written>,
        when: When,
    ) -> Outcome<Extent> {
        let span = &at.span;
        match &at.value {
            Written::Constant(number) => {
                let unit = self.unit(counted, span)?;
                let bytes = number.checked_mul(unit).ok_or_else(|| {
                    let message = format!("{number} elements of {unit} bytes are too many");
                    self.error(span, message, "")
                        .help("lend fewer: more than 2^64 bytes exist nowhere")
                })?;
                Ok(constant(bytes))
            }
            Written::SizeOf => self
                .target_size(counted, span, "say how many `bytes`")
                .map(constant),
            Written::CString => self.string(counted, span),
            Written::Moved => self.moved(counted, span),
            Written::Argument(path) => {
                let operands = [self.operand(counted, span, path, when)?];
                self.product(counted, span, &operands)
            }
            Written::Deref(path) => {
                let operands = [self.indirect(counted, span, path, when)?];
                self.product(counted, span, &operands)
            }
            Written::Product(left, right) => {
                let operands = [
                    self.operand(counted, span, left, when)?,
                    self.operand(counted, span, right, when)?,
                ];
                self.product(counted, span, &operands)
            }
        }
    }

    fn product(&self, counted: &Counted, at: &Span, factors: &[Operand]) -> Outcome<Extent> {
        let mut operands = [Operand::default(); 2];
        operands[..factors.len()].copy_from_slice(factors);
        let kind = if counted.negative {
            // A string is the other meaning.
            self.string(counted, at)?;
            EXTENT_PRODUCT_OR_STRING
        } else {
            EXTENT_PRODUCT
        };
        Ok(Extent {
            kind,
            count: factors.len() as u32,
            scale: self.unit(counted, at)?,
            operands,
        })
    }

    /// What a number in the extent counts, in bytes.
    fn unit(&self, counted: &Counted, at: &Span) -> Outcome<u64> {
        match counted.unit {
            Unit::Bytes => Ok(1),
            Unit::Elements => {
                self.target_size(counted, at, "write a number of `bytes` instead of `count`")
            }
        }
    }

    /// The size of what the lent pointer points to. Zero is a type too
    /// incomplete to be lent, such as an array of unknown length.
    fn target_size(&self, counted: &Counted, at: &Span, remedy: &str) -> Outcome<u64> {
        let to = counted.pointer.to.as_deref();
        if let Some(size) = to.and_then(|to| to.size).filter(|size| *size > 0) {
            return Ok(size);
        }
        let message = format!(
            "nothing says how large that is to which {} points",
            self.of(&counted.label)
        );
        let label = match to {
            None => "it is a `void` pointer".to_owned(),
            Some(to) => match to.names.first() {
                Some(name) => format!("the type `{name}` is incomplete"),
                None => "its type is incomplete".to_owned(),
            },
        };
        Err(Some(self.error(at, message, label).help(remedy)))
    }

    fn string(&self, counted: &Counted, at: &Span) -> Outcome<Extent> {
        let size = counted.pointer.to.as_deref().and_then(|to| to.size);
        if let Some(size) = size.filter(|size| *size > 1) {
            let message = format!("{} is no C string", self.of(&counted.label));
            let label = format!("it points to elements of {size} bytes");
            let help = "say how many there are with `count`";
            return Err(Some(self.error(at, message, label).help(help)));
        }
        Ok(Extent {
            kind: EXTENT_STRING,
            scale: 1,
            ..Extent::default()
        })
    }

    /// The distance between a pointer in a field before and after the call.
    fn moved(&self, counted: &Counted, at: &Span) -> Outcome<Extent> {
        let place = counted.draft.map(|draft| self.drafts[draft].lend.pointer);
        let message = format!("nothing says how far {} moved", self.of(&counted.label));
        let finding = self.error(at, message, "");
        match place.as_ref().and_then(holder) {
            None => Err(Some(finding.help(
                "only a pointer in a field comes back changed; say `*n` or `result` if one of them counts",
            ))),
            Some(parent) if !self.drafts[parent].is_written() => {
                let label = &self.drafts[parent].label;
                Err(Some(finding.help(format!(
                    "say `arg.{} = {{ lend = \"inout\" }}`: what the callee leaves in it is not read",
                    key(label)
                ))))
            }
            Some(_) => Ok(Extent {
                kind: EXTENT_ADVANCE,
                scale: 1,
                ..Extent::default()
            }),
        }
    }

    fn never_negative(&self, counted: &Counted, at: &Span, extent: &Extent) -> Option<Finding> {
        let operands = super::draft::operands(extent);
        if operands.iter().any(|operand| operand.signed != 0) {
            return None;
        }
        let message = format!(
            "the length of {} is never negative",
            self.of(&counted.label)
        );
        Some(
            self.error(at, message, "it is an unsigned number")
                .help("remove `negative`"),
        )
    }

    /// An argument, field or result that is a number.
    fn operand(
        &mut self,
        counted: &Counted<'a>,
        at: &Span,
        path: &ArgumentPath,
        when: When,
    ) -> Outcome<Operand> {
        if path.base == Base::Result {
            return self.of_result_type(at);
        }
        let here = self.position(at, path, Purpose::Count)?;
        let place = self.place(here.key);
        let of = self.of(&here.label);
        let refused = |label: &str| self.error(at, format!("{of} is not a length"), label);
        let (size, signed) = match &here.type_.kind {
            TypeKind::Integer { bytes, signed, .. } if *bytes <= 8 => (*bytes, *signed),
            TypeKind::Integer { .. } => {
                return Err(Some(
                    refused("it is wider than 64 bits")
                        .help("a length is an integer of at most 64 bits"),
                ));
            }
            TypeKind::Pointer(_) => {
                return Err(Some(
                    refused("it is a pointer")
                        .help(format!("write `*{path}` if the length is where it points")),
                ));
            }
            TypeKind::Float { .. } | TypeKind::Vector { .. } => {
                return Err(Some(
                    refused("it travels in an SSE register").help("a length is an integer"),
                ));
            }
            _ => {
                return Err(Some(
                    refused("it is not an integer").help("a length is an integer"),
                ));
            }
        };
        let Some(place) = place else {
            return Err(Some(self.no_word(at, &here.label)));
        };
        if let Holder::Inside(draft) = here.key.holder {
            let end = here.key.offset + u64::from(size);
            self.check_use(counted, at, &path.to_string(), draft, end, when)?;
        }
        Ok(operand(place, size, signed))
    }

    /// A number where an argument or field points.
    fn indirect(
        &mut self,
        counted: &Counted<'a>,
        at: &Span,
        path: &ArgumentPath,
        when: When,
    ) -> Outcome<Operand> {
        let here = self.position(at, path, Purpose::Count)?;
        let target = match &here.type_.kind {
            TypeKind::Pointer(pointer) => self
                .subject
                .signature
                .data(pointer)
                .and_then(integer)
                .map(|integer| (pointer, integer)),
            _ => None,
        };
        let Some((pointer, (size, signed))) = target else {
            let message = format!("{} does not point to an integer", self.of(&here.label));
            let finding = self.error(at, message, "");
            return Err(Some(match &here.type_.kind {
                TypeKind::Integer { .. } => {
                    finding.help(format!("it is the number itself: write `{path}`"))
                }
                _ => finding.help("a length is an integer of at most 64 bits"),
            }));
        };
        let draft = self.follow(at, &here, pointer, false, Purpose::Count)?;
        let text = format!("*{path}");
        self.check_use(counted, at, &text, draft, u64::from(size), when)?;
        Ok(operand(field(draft, 0), size, signed))
    }

    /// What the function returns.
    fn of_result_type(&self, at: &Span) -> Outcome<Operand> {
        let result = self.subject.signature.result.as_ref();
        if let Some((size, signed)) = result.and_then(integer) {
            let place = Place {
                kind: PLACE_RESULT,
                ..Place::default()
            };
            return Ok(operand(place, size, signed));
        }
        let message = format!("the result of {} is not a length", self.title());
        let label = match result {
            None => "it returns nothing",
            Some(_) => "it is not an integer",
        };
        let mut finding = self
            .error(at, message, label)
            .help("a length is an integer of at most 64 bits");
        let named = |known: &&super::arguments::Known| known.name == Some("result");
        if let Some(index) = self.arguments.list.iter().position(|known| named(&known)) {
            finding = finding.help(format!(
                "its argument of that name is written as `#{}`",
                index + 1
            ));
        }
        Err(Some(finding))
    }

    /// Whether what a draft covers can be counted with, and is there.
    fn check_use(
        &mut self,
        counted: &Counted,
        at: &Span,
        text: &str,
        draft: usize,
        end: u64,
        when: When,
    ) -> Outcome<()> {
        self.check_lent(at, text, draft, when)?;
        self.check_element(counted, at, text, draft)?;
        self.uses.push(Use {
            text: text.to_owned(),
            at: at.clone(),
            draft,
            end,
        });
        Ok(())
    }

    /// Before the call the caller must have set it; afterwards the callee must
    /// have been able to.
    fn check_lent(&self, at: &Span, text: &str, draft: usize, when: When) -> Outcome<()> {
        let draft = &self.drafts[draft];
        let rule = draft.range.as_ref().and_then(|range| range.rule);
        let direction = rule.map(|rule| &rule.direction);
        let (problem, lent) = match (when, direction.map(|direction| direction.value)) {
            (When::Before, Some(Direction::Out)) => (
                "read before the call, and nothing is there",
                "lent \"out\" here",
            ),
            (When::After, Some(Direction::In)) => (
                "read after the call, and nobody wrote there",
                "lent \"in\" here",
            ),
            (When::After, None) => ("read after the call, and it is not lent", ""),
            _ => return Ok(()),
        };
        let finding = self.error(at, format!("`{text}` is {problem}"), "");
        let remedy = format!("`arg.{} = {{ lend = \"inout\" }}`", key(&draft.label));
        Err(Some(match direction {
            Some(direction) => finding
                .at(self.subject.policy.place(&direction.span, lent))
                .help(format!("say {remedy}")),
            None => finding.help(format!("add {remedy}")),
        }))
    }

    /// What lies in an element says something about that element only.
    fn check_element(&self, counted: &Counted, at: &Span, text: &str, draft: usize) -> Outcome<()> {
        let arrays_of = |draft: usize| {
            let chain = std::iter::successors(Some(draft), |draft| {
                holder(&self.drafts[*draft].lend.pointer)
            });
            chain.filter(|draft| {
                let range = self.drafts[*draft].range.as_ref();
                range.is_some_and(|range| range.each == Some(true))
            })
        };
        let own: Vec<usize> = counted
            .draft
            .and_then(|draft| holder(&self.drafts[draft].lend.pointer))
            .into_iter()
            .flat_map(arrays_of)
            .collect();
        if arrays_of(draft).all(|array| own.contains(&array)) {
            return Ok(());
        }
        let message = format!("`{text}` is another number for each element");
        let help = "only what is lent in the same element can be counted with it";
        Err(Some(self.error(at, message, "").help(help)))
    }
}

fn operand(place: Place, size: u8, signed: bool) -> Operand {
    Operand {
        place,
        size,
        signed: u8::from(signed),
        ..Operand::default()
    }
}

/// Size in bytes, and whether it is signed.
fn integer(type_: &Type) -> Option<(u8, bool)> {
    match type_.kind {
        TypeKind::Integer { bytes, signed, .. } if bytes <= 8 => Some((bytes, signed)),
        _ => None,
    }
}

//! C declarators, by recursive descent.

use super::DeclarationError;
use super::lexer::{Token, tokens};
use super::specifiers::{Basic, CType, typedef};
use crate::graph::signature::{
    FunctionType, IntegerFlavour, Parameter, Pointee, Pointer, Signature, Target, Targets, Type,
    TypeKind,
};
use std::sync::Arc;

/// How deep parentheses may nest.
const DEEPEST: usize = 32;

pub(super) struct Parser<'t> {
    tokens: Vec<(usize, Token<'t>)>,
    next: usize,
    /// What the pointers read so far lead to.
    targets: Targets,
}

/// What a declarator puts around its base type, from the name outwards.
enum Modifier {
    Pointer { is_const: bool },
    Array(Option<u64>),
    Function(Parameters),
}

/// What stands between the parentheses of a function.
#[derive(Default)]
struct Parameters {
    named: Vec<Parameter>,
    variadic: bool,
    slots: Option<Vec<Type>>,
}

struct Declared<'t> {
    name: Option<(usize, &'t str)>,
    modifiers: Vec<Modifier>,
}

type Outcome<T> = Result<T, DeclarationError>;

fn mistake<T>(offset: usize, message: impl Into<String>) -> Outcome<T> {
    let message = message.into();
    Err(DeclarationError { offset, message })
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str) -> Outcome<Self> {
        let tokens = tokens(text)?;
        Ok(Parser {
            tokens,
            next: 0,
            targets: Targets::default(),
        })
    }

    /// The whole text: one function.
    pub(super) fn function(&mut self) -> Outcome<Signature> {
        let start = self.offset();
        let (base, base_const) = self.specifiers()?;
        let mut declared = self.declarator(0)?;
        self.accept(';');
        if self.peek() != Token::End {
            return mistake(self.offset(), "the declaration should end here");
        }
        let Some((name_offset, name)) = declared.name else {
            return mistake(start, "the function has no name");
        };
        if !matches!(declared.modifiers.first(), Some(Modifier::Function(_))) {
            return mistake(name_offset, format!("`{name}` is not a function"));
        }
        let Modifier::Function(parameters) = declared.modifiers.remove(0) else {
            return mistake(name_offset, format!("`{name}` is not a function"));
        };
        let (result, _) = self.build(base, base_const, declared.modifiers, start)?;
        let result = self.result(result, start)?;
        Ok(Signature {
            name: name.to_owned(),
            parameters: parameters.named,
            result,
            variadic: parameters.variadic,
            slots: parameters.slots,
            position: None,
            targets: Arc::new(std::mem::take(&mut self.targets)),
        })
    }

    fn result(&mut self, type_: CType, offset: usize) -> Outcome<Option<Type>> {
        match type_ {
            CType::Void => Ok(None),
            CType::Array { .. } | CType::Function(_) => {
                mistake(offset, "a function cannot return an array or a function")
            }
            type_ => self.by_value(type_, offset).map(Some),
        }
    }

    fn peek(&self) -> Token<'t> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Token<'t> {
        let token = self.tokens.get(self.next + ahead);
        token.map_or(Token::End, |(_, token)| *token)
    }

    /// Where the next token begins.
    fn offset(&self) -> usize {
        let token = self.tokens.get(self.next).or(self.tokens.last());
        token.map_or(0, |(offset, _)| *offset)
    }

    fn accept(&mut self, symbol: char) -> bool {
        let found = self.peek() == Token::Symbol(symbol);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: char) -> Outcome<()> {
        if self.accept(symbol) {
            Ok(())
        } else {
            mistake(self.offset(), format!("`{symbol}` is missing here"))
        }
    }

    /// Type words and qualifiers; whether the type is `const`.
    fn specifiers(&mut self) -> Outcome<(CType, bool)> {
        let start = self.offset();
        let mut basic = Basic::default();
        let mut other = None;
        let mut is_const = false;
        while let Token::Word(word) = self.peek() {
            match word {
                "const" | "__const" => is_const = true,
                "volatile" | "extern" | "inline" | "register" | "static" | "_Noreturn"
                | "__inline" | "__extension__" => {}
                "struct" | "union" | "enum" if basic.is_empty() && other.is_none() => {
                    self.next += 1;
                    let Token::Word(tag) = self.peek() else {
                        return mistake(
                            self.offset(),
                            format!("the name of the {word} is missing"),
                        );
                    };
                    other = Some(tagged(word, tag));
                }
                _ if other.is_none() && basic.add(word) => {}
                _ if other.is_none() && basic.is_empty() => {
                    other = Some(typedef(word).unwrap_or_else(|| CType::Opaque {
                        names: vec![word.to_owned()],
                        shown: word.to_owned(),
                    }));
                }
                // A second name is what is declared.
                _ => break,
            }
            self.next += 1;
        }
        if other.is_none() && basic.is_empty() {
            return mistake(start, "a type is missing here");
        }
        match other.or_else(|| basic.type_()) {
            Some(type_) => Ok((type_, is_const)),
            None => mistake(start, "these words do not make a type"),
        }
    }

    fn declarator(&mut self, depth: usize) -> Outcome<Declared<'t>> {
        if depth > DEEPEST {
            return mistake(self.offset(), "too many parentheses");
        }
        let mut pointers = Vec::new();
        while self.accept('*') {
            let mut is_const = false;
            while let Token::Word(word) = self.peek() {
                match word {
                    "const" | "__const" => is_const = true,
                    "restrict" | "__restrict" | "__restrict__" | "volatile" => {}
                    _ => break,
                }
                self.next += 1;
            }
            pointers.push(Modifier::Pointer { is_const });
        }
        let offset = self.offset();
        let mut declared = match self.peek() {
            Token::Word(name) => {
                self.next += 1;
                Declared {
                    name: Some((offset, name)),
                    modifiers: Vec::new(),
                }
            }
            Token::Symbol('(') if self.opens_declarator() => {
                self.next += 1;
                let inner = self.declarator(depth + 1)?;
                self.expect(')')?;
                inner
            }
            _ => Declared {
                name: None,
                modifiers: Vec::new(),
            },
        };
        loop {
            if self.accept('[') {
                declared.modifiers.push(self.array()?);
            } else if self.accept('(') {
                let parameters = self.parameters(depth)?;
                declared.modifiers.push(Modifier::Function(parameters));
            } else {
                break;
            }
        }
        declared.modifiers.extend(pointers.into_iter().rev());
        Ok(declared)
    }

    /// Whether the parenthesis ahead encloses a declarator, as in `(*name)`,
    /// rather than parameters.
    fn opens_declarator(&self) -> bool {
        match self.peek_at(1) {
            Token::Symbol('*' | '(' | '[') => true,
            Token::Word(word) => {
                let is_keyword = matches!(
                    word,
                    "const" | "volatile" | "struct" | "union" | "enum" | "register"
                );
                let follows = matches!(self.peek_at(2), Token::Symbol(')' | '(' | '['));
                !is_keyword && !Basic::default().add(word) && typedef(word).is_none() && follows
            }
            _ => false,
        }
    }

    /// What follows `[`. A length that is not a number does not matter: only
    /// a pointer to an array has a size that counts.
    fn array(&mut self) -> Outcome<Modifier> {
        let mut count = None;
        loop {
            match self.peek() {
                Token::Symbol(']') => {
                    self.next += 1;
                    return Ok(Modifier::Array(count));
                }
                Token::Number(number) => count = Some(number),
                Token::Word(_) | Token::Symbol('*') => {}
                _ => return mistake(self.offset(), "`]` is missing here"),
            }
            self.next += 1;
        }
    }

    /// What follows `(`.
    fn parameters(&mut self, depth: usize) -> Outcome<Parameters> {
        let mut found = Parameters::default();
        if self.accept(')') {
            return Ok(found);
        }
        if self.peek() == Token::Word("void") && self.peek_at(1) == Token::Symbol(')') {
            self.next += 2;
            return Ok(found);
        }
        loop {
            let offset = self.offset();
            if self.peek() == Token::Ellipsis {
                if found.variadic {
                    return mistake(offset, "`...` can stand here only once");
                }
                self.next += 1;
                found.variadic = true;
            } else if found.variadic
                && self.peek() == Token::Word("void")
                && self.peek_at(1) == Token::Symbol(')')
            {
                self.next += 1;
                found.slots.get_or_insert_default();
            } else {
                let (name, type_) = self.parameter(depth, offset)?;
                if found.variadic {
                    check_promoted(&type_, offset)?;
                    found.slots.get_or_insert_default().push(type_);
                } else {
                    found.named.push(Parameter { name, type_ });
                }
            }
            if !self.accept(',') {
                self.expect(')')?;
                return Ok(found);
            }
        }
    }

    fn parameter(&mut self, depth: usize, offset: usize) -> Outcome<(Option<String>, Type)> {
        let (base, base_const) = self.specifiers()?;
        let declared = self.declarator(depth + 1)?;
        let (type_, _) = self.build(base, base_const, declared.modifiers, offset)?;
        let name = declared.name.map(|(_, name)| name.to_owned());
        // Arrays and functions become pointers (C11 6.7.6.3).
        let type_ = match type_ {
            CType::Void => return mistake(offset, "a parameter cannot be `void`"),
            CType::Array {
                element,
                element_const,
                ..
            } => CType::Pointer {
                to: element,
                to_const: element_const,
            },
            function @ CType::Function(_) => CType::Pointer {
                to: Box::new(function),
                to_const: false,
            },
            other => other,
        };
        Ok((name, self.by_value(type_, offset)?))
    }

    /// Puts modifiers around a base type; whether the outermost is `const`.
    /// What is wrong with it is at `offset`.
    fn build(
        &mut self,
        base: CType,
        base_const: bool,
        modifiers: Vec<Modifier>,
        offset: usize,
    ) -> Outcome<(CType, bool)> {
        let mut built = (base, base_const);
        for modifier in modifiers.into_iter().rev() {
            let (inner, inner_const) = built;
            built = match modifier {
                Modifier::Pointer { is_const } => {
                    let to = Box::new(inner);
                    let to_const = inner_const;
                    (CType::Pointer { to, to_const }, is_const)
                }
                Modifier::Array(count) => {
                    let element = Box::new(inner);
                    let array = CType::Array {
                        element,
                        element_const: inner_const,
                        count,
                    };
                    (array, false)
                }
                Modifier::Function(parameters) => {
                    let function = FunctionType {
                        result: self.result(inner, offset)?,
                        parameters: parameters.named,
                        variadic: parameters.variadic,
                        slots: parameters.slots,
                    };
                    (CType::Function(Box::new(function)), false)
                }
            };
        }
        Ok(built)
    }

    /// The type of a parameter or result.
    fn by_value(&mut self, type_: CType, offset: usize) -> Outcome<Type> {
        match type_ {
            CType::Known { names, kind } => Ok(Type { names, kind }),
            pointer @ CType::Pointer { .. } => Ok(self.data(pointer)),
            CType::Opaque { shown, .. } => mistake(
                offset,
                format!(
                    "`{shown}` is passed by value, and only debug information knows its size; compile its definition with `-g`, or pass a pointer"
                ),
            ),
            CType::Void | CType::Array { .. } | CType::Function(_) => {
                mistake(offset, "this cannot be passed by value")
            }
        }
    }

    /// What a pointer points to; `None` for `void`.
    fn pointee(&mut self, type_: CType, is_const: bool) -> Option<Box<Pointee>> {
        let size = size(&type_);
        let is_function = matches!(type_, CType::Function(_));
        let (names, to, target) = match type_ {
            CType::Void => return None,
            CType::Function(function) => (Vec::new(), None, Target::Function(*function)),
            data => {
                let type_ = self.data(data);
                let to = match &type_.kind {
                    TypeKind::Pointer(pointer) => pointer.to.clone(),
                    _ => None,
                };
                (type_.names.clone(), to, Target::Data(type_))
            }
        };
        Some(Box::new(Pointee {
            names,
            size,
            is_function,
            is_const,
            to,
            target: self.targets.add(target),
        }))
    }

    /// Data in memory.
    fn data(&mut self, type_: CType) -> Type {
        let (names, kind) = match type_ {
            CType::Known { names, kind } => (names, kind),
            CType::Pointer { to, to_const } => {
                let to = self.pointee(*to, to_const);
                (Vec::new(), TypeKind::Pointer(Pointer { to }))
            }
            CType::Array { element, count, .. } => {
                let element = Box::new(self.data(*element));
                let count = count.unwrap_or(0);
                (Vec::new(), TypeKind::Array { element, count })
            }
            CType::Opaque { names, .. } => {
                let reason = "is known to debug information only".to_owned();
                (names, TypeKind::Unknown { reason })
            }
            CType::Void | CType::Function(_) => {
                let reason = "is no type of data".to_owned();
                (Vec::new(), TypeKind::Unknown { reason })
            }
        };
        Type { names, kind }
    }
}

fn tagged(keyword: &str, tag: &str) -> CType {
    let names = vec![tag.to_owned()];
    if keyword == "enum" {
        let kind = TypeKind::Integer {
            bytes: 4,
            signed: false,
            flavour: IntegerFlavour::Enumeration,
        };
        CType::Known { names, kind }
    } else {
        let shown = format!("{keyword} {tag}");
        CType::Opaque { names, shown }
    }
}

fn size(type_: &CType) -> Option<u64> {
    match type_ {
        CType::Known { kind, .. } => kind.size(),
        CType::Pointer { .. } => Some(8),
        CType::Array { element, count, .. } => size(element)?.checked_mul((*count)?),
        CType::Void | CType::Opaque { .. } | CType::Function(_) => None,
    }
}

/// Variadic arguments are promoted before they are passed (C11 6.5.2.2).
fn check_promoted(type_: &Type, offset: usize) -> Outcome<()> {
    let promoted = match type_.kind {
        TypeKind::Integer { bytes: 1 | 2, .. } => "int",
        TypeKind::Float { bytes: 2 | 4 } => "double",
        _ => return Ok(()),
    };
    mistake(
        offset,
        format!("after `...` this is passed as `{promoted}`; write that"),
    )
}

//! Reads `[cubicle.NAME.function.SYMBOL]` tables and the rules inside them.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeValue;

use super::document::missing;
use super::reader::{Entry, Reader, Table, quoted};
use crate::manifest::extent::{Base, Extent};
use crate::manifest::function::{
    Argument, ArgumentRule, Callback, Direction, Fault, Function, Lend, ResultKind, ResultRule,
    Unit,
};
use crate::manifest::located::Located;
use crate::manifest::schema;
use crate::manifest::words::{LendWord, Negative};

/// Reads a table of functions by their symbol names.
pub fn read_all(reader: &mut Reader, entry: Entry) -> BTreeMap<String, Function> {
    let mut functions = BTreeMap::new();
    for entry in reader.map(entry) {
        if let Some(function) = read(reader, entry) {
            functions.insert(entry.name().to_owned(), function);
        }
    }
    functions
}

/// Reads the table; `None` if it is no table at all.
fn read(reader: &mut Reader, entry: Entry) -> Option<Function> {
    let name = Located::new(entry.name().to_owned(), entry.key_span());
    let what = format!("function {}", quoted(&name));
    // A symbol's name ends up in assembler-like tables: it has no white space.
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        reader.error(
            entry.key_span(),
            format!("{} cannot be the name of a symbol", quoted(&name)),
            "",
        );
    }
    let mut table = reader.table::<schema::Function>(entry.value, entry.key_span(), &what)?;
    let signature = table
        .get("signature")
        .and_then(|entry| reader.string(entry))
        .filter(|signature| signature_has_form(reader, signature, Some(&name)));
    let function = Function {
        signature,
        gate: table.get("gate").and_then(|entry| reader.word(entry)),
        args: table
            .get("arg")
            .map_or_else(BTreeMap::new, |entry| arguments(reader, entry)),
        result: table.get("result").and_then(|entry| result(reader, entry)),
        errno: table.get("errno").and_then(|entry| reader.boolean(entry)),
        fault: table.get("fault").and_then(|entry| fault(reader, entry)),
        may_unwind: table
            .get("may-unwind")
            .and_then(|entry| reader.boolean(entry)),
        name,
    };
    table.close();
    Some(function)
}

/// Looks at a signature's outer form only: whoever needs it parses it as C. It
/// declares `function`, or anything for a callback, which has no name.
fn signature_has_form(
    reader: &mut Reader,
    signature: &Located<String>,
    function: Option<&Located<String>>,
) -> bool {
    let mut depth = 0_i64;
    let balanced = signature.chars().all(|letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth >= 0
    }) && depth == 0;
    let declares = |name: &str| {
        signature
            .split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '$'))
            .any(|word| word == name)
    };
    let problem = if !signature.contains('(') || !balanced {
        "it is no C declaration of a function"
    } else if !function.is_none_or(|name| declares(&name.value)) {
        "it declares another function"
    } else {
        return true;
    };
    let name = function.map_or("callback", |name| &name.value);
    reader.error_with_help(
        signature.span.clone(),
        match function {
            Some(name) => format!("this is no signature of {}", quoted(name)),
            None => "this is no signature of a callback".to_owned(),
        },
        problem,
        format!("for example `int {name}(char *s, int n)`"),
    );
    false
}

fn arguments(reader: &mut Reader, entry: Entry) -> BTreeMap<String, Argument> {
    let mut args = BTreeMap::new();
    for entry in reader.map(entry) {
        let path = reader.path(entry.name(), entry.key_span());
        let what = format!("argument {}", quoted(entry.name()));
        let table = reader.table::<schema::Argument>(entry.value, entry.key_span(), &what);
        let rule = table.and_then(|mut table| {
            let rule = rule(reader, &mut table, RULE_KEYS, entry.key_span(), &what);
            table.close();
            rule
        });
        if let (Some(path), Some(rule)) = (path, rule) {
            args.insert(entry.name().to_owned(), Argument { path, rule });
        }
    }
    args
}

fn result(reader: &mut Reader, entry: Entry) -> Option<ResultRule> {
    let what = "`result`";
    let mut table = reader.table::<schema::ReturnValue>(entry.value, entry.span(), what)?;
    let declared = Located::new((), entry.key_span());
    let within = table.get("within");
    let rule = match within {
        None => rule(reader, &mut table, RESULT_KEYS, entry.key_span(), what)
            .filter(|rule| is_for_result(reader, rule))
            .map(ResultKind::Like),
        Some(within) => {
            refuse(
                reader,
                &mut table,
                RESULT_KEYS,
                "a result `within` an argument",
            );
            reader
                .string(within)
                .and_then(|text| reader.path(&text, text.span.clone()))
                .map(ResultKind::Within)
        }
    };
    table.close();
    rule.map(|rule| ResultRule { declared, rule })
}

/// Whether a rule can be about something that is returned.
fn is_for_result(reader: &mut Reader, rule: &ArgumentRule) -> bool {
    let ArgumentRule::Lend(lend) = rule else {
        return true;
    };
    if lend.direction.value != Direction::In {
        reader.error_with_help(
            lend.direction.span.clone(),
            "what is returned can only be read",
            "",
            "say `lend = \"in\"`: the caller gets a copy",
        );
        return false;
    }
    true
}

/// The keys that [`rule`] understands, in the table of an argument.
const RULE_KEYS: &[&str] = &[
    "lend",
    "bytes",
    "count",
    "used",
    "negative",
    "keep",
    "value",
    "callback",
    "signature",
    "arg",
    "result",
];

/// And in that of a result.
const RESULT_KEYS: &[&str] = &[
    "lend",
    "bytes",
    "count",
    "callback",
    "signature",
    "arg",
    "result",
];

/// Reads what is common to arguments and results: exactly one of `lend`, `value`
/// and `callback`, and what belongs to it. `keys` are those of the table.
fn rule(
    reader: &mut Reader,
    table: &mut Table,
    keys: &'static [&'static str],
    span: Range<usize>,
    what: &str,
) -> Option<ArgumentRule> {
    // Which of the keys are looked at depends on the others; all are known.
    for key in keys {
        table.get(key);
    }
    let is_argument = keys.contains(&"value");
    let (lend, callback) = (table.get("lend"), table.get("callback"));
    let value = if is_argument {
        table.get("value")
    } else {
        None
    };
    // Without those that belong to what a table is about.
    let without = |own: &[&str]| -> Vec<&'static str> {
        let keys = keys.iter().copied();
        keys.filter(|key| !own.contains(key)).collect()
    };
    const OF_LEND: &[&str] = &["lend", "bytes", "count", "used", "negative", "keep"];
    const OF_CALLBACK: &[&str] = &["callback", "signature", "arg", "result"];
    if let Some(lend) = lend {
        let word = reader.word::<LendWord>(lend);
        refuse(reader, table, &without(OF_LEND), "a lend");
        return read_lend(reader, table, is_argument, word?);
    }
    if let Some(value) = value {
        refuse(reader, table, &without(&["value"]), "a replaced value");
        return reader.integer(value).map(ArgumentRule::Value);
    }
    if let Some(entry) = callback {
        refuse(reader, table, &without(OF_CALLBACK), "a callback");
        let signature = table
            .get("signature")
            .and_then(|entry| reader.string(entry))
            .filter(|signature| signature_has_form(reader, signature, None));
        let args = table
            .get("arg")
            .map_or_else(BTreeMap::new, |entry| arguments(reader, entry));
        let result = table.get("result").and_then(|entry| result(reader, entry));
        if !reader.boolean(entry)?.value {
            reader.error(entry.span(), "`callback` can only be true", "");
            return None;
        }
        return Some(ArgumentRule::Callback(Callback {
            declared: Located::new((), entry.key_span()),
            signature,
            args,
            result: result.map(Box::new),
        }));
    }
    let mut help = "say `lend = \"in\"`, `\"out\"`, `\"inout\"` or `\"handle\"`, `value = 0` or \
                    `callback = true`";
    if !is_argument {
        help = "say `within = \"ARGUMENT\"`, `lend = \"in\"` or `\"handle\"`, or `callback = true`";
    }
    let of_callback = ["signature", "arg", "result"];
    if of_callback.iter().any(|key| table.get(key).is_some()) {
        help = "`signature`, `arg` and `result` belong to `callback = true`";
    }
    reader.error_with_help(
        span,
        format!("{what} does not say how it crosses the gate"),
        "",
        help,
    );
    None
}

fn read_lend(
    reader: &mut Reader,
    table: &mut Table,
    is_argument: bool,
    word: Located<LendWord>,
) -> Option<ArgumentRule> {
    let mut of_argument = |key| if is_argument { table.get(key) } else { None };
    let (used, negative, keep) = (
        of_argument("used"),
        of_argument("negative"),
        of_argument("keep"),
    );
    let direction = match word.value {
        LendWord::In => Direction::In,
        LendWord::Out => Direction::Out,
        LendWord::InOut => Direction::InOut,
        LendWord::Handle => {
            refuse(reader, table, &["bytes", "count"], "a handle");
            if is_argument {
                refuse(reader, table, &["used", "negative", "keep"], "a handle");
            }
            return Some(ArgumentRule::Handle);
        }
    };
    let (bytes, count) = (table.get("bytes"), table.get("count"));
    if let (Some(bytes), Some(count)) = (bytes, count) {
        reader.error(
            count.key_span().start.max(bytes.key_span().start)
                ..count.key_span().end.max(bytes.key_span().end),
            "an extent is in `bytes` or in elements (`count`), not both",
            "",
        );
    }
    let unit = if bytes.is_none() && count.is_some() {
        Unit::Elements
    } else {
        Unit::Bytes
    };
    let extent = match bytes.or(count) {
        Some(entry) => reader.extent(entry),
        None => Some(Located::new(Extent::SizeOf, word.span.clone())),
    };
    if let Some(used) = used
        && direction == Direction::In
    {
        reader.error(
            used.key_span(),
            "`used` says how much of an \"out\" or \"inout\" range was written",
            "this one is lent \"in\"",
        );
    }
    let used = used.and_then(|entry| reader.extent(entry));
    let keep = keep.and_then(|entry| reader.string(entry));
    let lend = Lend {
        extent: extent?,
        unit,
        used,
        negative: negative.and_then(|entry| reader.word::<Negative>(entry)),
        keep,
        direction: word.map(|_| direction),
    };
    check_extents(reader, &lend);
    Some(ArgumentRule::Lend(Box::new(lend)))
}

/// What can be said about extents without knowing the function.
fn check_extents(reader: &mut Reader, lend: &Lend) {
    let span = || lend.extent.span.clone();
    let whole = matches!(lend.extent.value, Extent::CString | Extent::SizeOf);
    if whole && lend.unit == Unit::Elements {
        reader.error_with_help(
            span(),
            format!("`{}` is a length in bytes", lend.extent.value),
            "",
            "write it as `bytes`",
        );
    }
    if lend.extent.value == Extent::CString && lend.direction.value == Direction::Out {
        reader.error_with_help(
            span(),
            "an \"out\" range has no C string in it yet, so its length is unknown",
            "",
            "say how many `bytes` the buffer has, and `used = \"cstr\"`",
        );
    }
    if lend.extent.value == Extent::Moved {
        reader.error_with_help(
            span(),
            "how far a pointer moved is known only after the call",
            "",
            "`moved` belongs to `used`",
        );
    }
    if let Some(path) = lend
        .extent
        .value
        .paths()
        .find(|path| path.base == Base::Result)
    {
        reader.error_with_help(
            span(),
            format!("the {path} is known only after the call"),
            "",
            "it belongs to `used`; an argument called `result` is written as its position, such as `#1`",
        );
    }
    if let Some(used) = &lend.used
        && used.value == Extent::SizeOf
    {
        reader.error(used.span.clone(), "`used` cannot be `sizeof`", "");
    }
    if let Some(negative) = &lend.negative {
        let measured = lend.extent.value.paths().next().is_some();
        if !measured || lend.direction.value == Direction::Out {
            reader.error_with_help(
                negative.span.clone(),
                "there is no length here that could be negative",
                "",
                "`negative` belongs to an \"in\" or \"inout\" range whose length is an argument or field",
            );
        }
    }
}

/// Reports keys that do not go together with what the table describes.
fn refuse(reader: &mut Reader, table: &mut Table, keys: &[&'static str], with: &str) {
    for key in keys {
        if let Some(entry) = table.get(key) {
            reader.error(
                entry.key_span(),
                format!("`{key}` does not go together with {with}"),
                "",
            );
        }
    }
}

fn fault(reader: &mut Reader, entry: Entry) -> Option<Fault> {
    let mut table = reader.table::<schema::Fault>(entry.value, entry.span(), "`fault`")?;
    let (returns, errno) = (table.get("returns"), table.get("errno"));
    table.close();
    let errno = errno.and_then(|entry| reader.string(entry)).filter(|name| {
        let well_formed = name.starts_with('E')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !well_formed {
            reader.error_with_help(
                name.span.clone(),
                format!("{} is not the name of an errno value", quoted(name)),
                "",
                "names are those of errno.h, such as \"EIO\"",
            );
        }
        well_formed
    });
    let Some(returns) = returns else {
        missing(reader, entry.key_span(), "`fault`", "returns");
        return None;
    };
    let returns = match returns.value.get_ref() {
        DeValue::String(text) if text == "null" => Located::new(0, returns.span()),
        DeValue::Integer(_) => reader.integer(returns)?,
        other => {
            reader.wrong_type(returns.span(), "`returns`", "a number or \"null\"", other);
            return None;
        }
    };
    Some(Fault { returns, errno })
}

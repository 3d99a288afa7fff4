//! Mending a manifest's text, with its formatting and comments as they were.

use std::ops::Range;

use toml_edit::{Array, Document, DocumentMut, Item, Table, TableLike};

use crate::diagnostics::Fix;

/// The text with as many of the changes as can be made at once, and which those are. Names are
/// corrected first, where they stand; what is removed or moved is looked for in a text that has them.
pub fn apply(text: &str, fixes: &[(Range<usize>, Fix)]) -> (String, Vec<usize>) {
    let (renamed, done) = rename(text, fixes);
    if !done.is_empty() {
        return (renamed, done);
    }
    let Ok(document) = Document::parse(text.to_owned()) else {
        return (text.to_owned(), Vec::new());
    };
    let mut found: Vec<(Vec<Step>, usize)> = Vec::new();
    for (index, (span, _)) in fixes.iter().enumerate() {
        found.extend(find(document.as_item(), span).map(|path| (path, index)));
    }
    // What stands behind something in an array keeps its number while that is still there.
    found.sort_by(|one, other| other.cmp(one));
    let mut document = document.into_mut();
    let mut done = Vec::new();
    for (path, index) in found {
        let is_done = match &fixes[index].1 {
            Fix::Rename(_) => false,
            Fix::Remove => remove(document.as_item_mut(), &path),
            Fix::Move(cubicle) => relocate(&mut document, &path, cubicle),
        };
        done.extend(is_done.then_some(index));
    }
    let mut mended = document.to_string();
    if text.contains("\r\n") {
        // toml_edit ends lines in one way.
        mended = mended.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    (mended, done)
}

fn rename(text: &str, fixes: &[(Range<usize>, Fix)]) -> (String, Vec<usize>) {
    let mut renames: Vec<(&Range<usize>, &String, usize)> = fixes
        .iter()
        .enumerate()
        .filter_map(|(index, (span, fix))| match fix {
            Fix::Rename(name) => Some((span, name, index)),
            _ => None,
        })
        .collect();
    renames.sort_by_key(|(span, ..)| std::cmp::Reverse(span.start));
    let mut new = text.to_owned();
    let mut end = text.len();
    let mut done = Vec::new();
    for (span, name, index) in renames {
        let Some(old) = text.get(span.clone()).filter(|_| span.end <= end) else {
            continue;
        };
        let bare = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        let quote = old.chars().next().filter(|first| "\"'".contains(*first));
        let quote = match (quote, name.chars().all(bare)) {
            (Some(quote), _) => quote.to_string(),
            (None, true) => String::new(),
            (None, false) => "\"".to_owned(),
        };
        new.replace_range(span.clone(), &format!("{quote}{name}{quote}"));
        end = span.start;
        done.push(index);
    }
    (new, done)
}

/// One step from a table or array to what is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    Index(usize),
}

/// The way to the key or element that stands at `span`.
fn find(item: &Item, span: &Range<usize>) -> Option<Vec<Step>> {
    let is_it = |at: Option<Range<usize>>| at.is_some_and(|at| at.start == span.start);
    if let Some(table) = item.as_table_like() {
        return table.iter().find_map(|(name, value)| {
            let (key, _) = table.get_key_value(name)?;
            let step = Step::Key(name.to_owned());
            match is_it(key.span()) {
                true => Some(vec![step]),
                false => behind(step, find(value, span)?),
            }
        });
    }
    if let Some(tables) = item.as_array_of_tables() {
        return tables.iter().enumerate().find_map(|(index, table)| {
            let table = Item::Table(table.clone());
            behind(Step::Index(index), find(&table, span)?)
        });
    }
    item.as_array()?
        .iter()
        .enumerate()
        .find_map(|(index, value)| {
            let step = Step::Index(index);
            match is_it(value.span()) {
                true => Some(vec![step]),
                false => behind(step, find(&Item::Value(value.clone()), span)?),
            }
        })
}

fn behind(step: Step, rest: Vec<Step>) -> Option<Vec<Step>> {
    Some([vec![step], rest].concat())
}

/// Takes out what `path` leads to, and whatever is empty without it. Answers whether it was there.
fn remove(item: &mut Item, path: &[Step]) -> bool {
    match path {
        [] => false,
        [Step::Index(index)] => item.as_array_mut().is_some_and(|array| {
            let is_there = *index < array.len();
            if is_there {
                take_element(array, *index);
            }
            is_there
        }),
        [Step::Key(key)] => item
            .as_table_like_mut()
            .is_some_and(|table| table.remove(key).is_some()),
        [Step::Key(key), rest @ ..] => {
            let Some(table) = item.as_table_like_mut() else {
                return false;
            };
            let Some(inner) = table.get_mut(key) else {
                return false;
            };
            let removed = remove(inner, rest);
            let empty = match inner {
                Item::Value(value) => {
                    value.as_array().is_some_and(Array::is_empty)
                        || value.as_inline_table().is_some_and(TableLike::is_empty)
                }
                Item::Table(table) => {
                    table.is_empty() && (table.is_implicit() || table.is_dotted())
                }
                _ => false,
            };
            if removed && empty {
                table.remove(key);
            }
            removed
        }
        [Step::Index(index), rest @ ..] => {
            if let Some(tables) = item.as_array_of_tables_mut() {
                let Some(table) = tables.get_mut(*index) else {
                    return false;
                };
                let mut inner = Item::Table(std::mem::take(table));
                let removed = remove(&mut inner, rest);
                if let Item::Table(inner) = inner {
                    *table = inner;
                }
                return removed;
            }
            let Some(value) = item.as_array_mut().and_then(|array| array.get_mut(*index)) else {
                return false;
            };
            let mut inner = Item::Value(value.clone());
            let removed = remove(&mut inner, rest);
            if let Item::Value(inner) = inner {
                *value = inner;
            }
            removed
        }
    }
}

/// A comment behind an element stands in front of the next one, as toml_edit has it: it goes, and the comment
/// behind the one before stays.
fn take_element(array: &mut Array, index: usize) {
    let removed = array.remove(index);
    let own = removed.decor().prefix().and_then(|text| text.as_str());
    let own = own.unwrap_or_default().to_owned();
    let (kept, _) = own.split_at(own.find('\n').unwrap_or(own.len()));
    let joined = |next: &str| match next.find('\n') {
        Some(line) => format!("{kept}{}", &next[line..]),
        // All on one line.
        None if index == 0 => own.clone(),
        None => next.to_owned(),
    };
    if let Some(next) = array.get_mut(index) {
        let text = next.decor().prefix().and_then(|text| text.as_str());
        let text = joined(text.unwrap_or_default());
        next.decor_mut().set_prefix(text);
    } else {
        let text = array.trailing().as_str().unwrap_or_default().to_owned();
        if text.contains('\n') {
            array.set_trailing(joined(&text));
        }
    }
}

/// Moves the entry of a function to another cubicle, where there is none of it yet.
fn relocate(document: &mut DocumentMut, path: &[Step], cubicle: &str) -> bool {
    let [
        Step::Key(cubicles),
        Step::Key(from),
        Step::Key(functions),
        Step::Key(function),
    ] = path
    else {
        return false;
    };
    let table = |document: &mut DocumentMut, cubicle: &str| -> Option<()> {
        let cubicle = document
            .as_table_mut()
            .get_mut(cubicles)?
            .as_table_like_mut()?
            .get_mut(cubicle)?
            .as_table_like_mut()?;
        if !cubicle.contains_key(functions) {
            let mut empty = Table::new();
            empty.set_implicit(true);
            cubicle.insert(functions, Item::Table(empty));
        }
        let there = cubicle.get(functions)?.as_table_like()?;
        (!there.contains_key(function)).then_some(())
    };
    if table(document, cubicle).is_none() {
        return false;
    }
    let Some(mut entry) = document[cubicles][from][functions]
        .as_table_like_mut()
        .and_then(|functions| functions.remove(function))
    else {
        return false;
    };
    if let Item::Value(value) = &entry {
        // It was written in one line below a heading that stays where it is.
        entry = match value.as_inline_table() {
            Some(inline) => Item::Table(inline.clone().into_table()),
            None => entry,
        };
    }
    if let Item::Table(table) = &mut entry {
        table.set_dotted(false);
    }
    document[cubicles][cubicle][functions][function] = entry;
    true
}

//! From subprogram entries to signatures.

use super::sections::Sections;
use super::types::{Budget, LARGEST, TypeReader};
use super::units::{Entry, EntryId, Units, flag, number};
use super::{DebugInfo, Function};
use crate::graph::signature::{Signature, SourcePosition, Targets};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many hops from a definition to its declaration are believed.
const HOPS: usize = 8;

/// Reads every external function with code whose name is wanted.
pub(super) fn collect(
    units: &Units<'_>,
    sections: &Sections,
    wanted: &dyn Fn(&str) -> bool,
    info: &mut DebugInfo,
) {
    // Global symbols at each address: an alias has no entry of its own.
    let mut aliases: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for (address, name) in &sections.symbols {
        aliases.entry(*address).or_default().push(name);
    }
    let reader = TypeReader::new(units);
    for (index, unit) in units.compilations() {
        // Assemblers list functions, and know nothing of their parameters.
        if units.is_assembly(index) {
            continue;
        }
        let version = unit.header.version();
        let mut found = Vec::new();
        if let Err(error) = subprograms(units, index, &mut found) {
            info.problems.push(format!("unit {index}: {error}"));
        }
        for (id, address) in found {
            let chain = chain(units, id);
            let name = name(units, &chain);
            let external = chain.iter().any(|(_, e)| flag(e, gimli::DW_AT_external));
            let mut names: Vec<&str> = address
                .and_then(|address| aliases.get(&address).cloned())
                .unwrap_or_default();
            if external && let Some(name) = &name {
                names.push(name);
            }
            names.retain(|name| wanted(name));
            names.sort_unstable();
            names.dedup();
            if names.is_empty() {
                continue;
            }
            let signature = signature(&reader, &chain);
            for name in names {
                let function = Function {
                    signature: Signature {
                        name: name.to_owned(),
                        ..signature.clone()
                    },
                    version,
                };
                info.functions.entry(name.to_owned()).or_insert(function);
            }
        }
    }
    let targets = Arc::new(reader.targets());
    for function in info.functions.values_mut() {
        function.signature.targets = Arc::clone(&targets);
    }
}

/// Finds the subprograms of a unit that are defined there, and where their code
/// starts. One that the compiler folded into an identical one has none.
fn subprograms(
    units: &Units<'_>,
    index: usize,
    found: &mut Vec<(EntryId, Option<u64>)>,
) -> Result<(), gimli::Error> {
    let Some(unit) = units.unit(index) else {
        return Ok(());
    };
    let mut entries = unit.entries_raw(None)?;
    let mut entry = Entry::null();
    while !entries.is_empty() {
        if !entries.read_entry(&mut entry)? {
            continue;
        }
        let address = start(units, index, &entry);
        if entry.tag() == gimli::DW_TAG_subprogram && (address.is_some() || is_folded(&entry)) {
            let offset = entry.offset();
            found.push((
                EntryId {
                    unit: index,
                    offset,
                },
                address,
            ));
        }
        // What lies inside a function is not looked at, where the compiler
        // says how to get past it.
        if entry.tag() == gimli::DW_TAG_subprogram
            && let Some(gimli::AttributeValue::UnitRef(next)) =
                entry.attr_value(gimli::DW_AT_sibling)
            && next > entry.offset()
        {
            entries = unit.entries_raw(Some(next))?;
        }
    }
    Ok(())
}

/// Is it a definition without code of its own, and not the origin of instances?
fn is_folded(entry: &Entry<'_>) -> bool {
    let absent = |attribute| entry.attr_value(attribute).is_none();
    flag(entry, gimli::DW_AT_external)
        && !flag(entry, gimli::DW_AT_declaration)
        && absent(gimli::DW_AT_inline)
        && absent(gimli::DW_AT_abstract_origin)
        && absent(gimli::DW_AT_low_pc)
        && absent(gimli::DW_AT_ranges)
}

/// The address of a function's first instruction; `None` if it has no code or
/// the linker dropped it.
fn start<'a>(units: &Units<'a>, index: usize, entry: &Entry<'a>) -> Option<u64> {
    let unit = units.unit(index)?;
    let address = match entry.attr_value(gimli::DW_AT_low_pc) {
        Some(value) => units.dwarf.attr_address(unit, value).ok()??,
        None => {
            entry.attr_value(gimli::DW_AT_ranges)?;
            let mut ranges = units.dwarf.die_ranges(unit, entry).ok()?;
            ranges.next().ok()??.begin
        }
    };
    // Linkers write 0, -1 or -2 over the addresses of what they drop.
    (address != 0 && address < u64::MAX - 1).then_some(address)
}

/// An entry and what it is an instance or a definition of, nearest first.
fn chain<'a>(units: &Units<'a>, id: EntryId) -> Vec<(EntryId, Entry<'a>)> {
    let mut chain = Vec::new();
    let mut next = Some(id);
    while let Some(id) = next
        && chain.len() < HOPS
        && let Some(entry) = units.entry(id)
    {
        next = units
            .follow(id.unit, entry.attr_value(gimli::DW_AT_abstract_origin))
            .or_else(|| units.follow(id.unit, entry.attr_value(gimli::DW_AT_specification)));
        chain.push((id, entry));
    }
    chain
}

fn name<'a>(units: &Units<'a>, chain: &[(EntryId, Entry<'a>)]) -> Option<String> {
    for attribute in [
        gimli::DW_AT_linkage_name,
        gimli::DW_AT_MIPS_linkage_name,
        gimli::DW_AT_name,
    ] {
        for (id, entry) in chain {
            if let Some(name) = units.text(id.unit, entry, attribute) {
                return Some(name);
            }
        }
    }
    None
}

/// Reads the signature, with an empty name, and without what its pointers lead
/// to.
fn signature<'a>(reader: &TypeReader<'_, 'a>, chain: &[(EntryId, Entry<'a>)]) -> Signature {
    // An optimised instance may lack parameters that its origin has, so the
    // origin counts; a definition has all those of its declaration.
    let definition = chain
        .iter()
        .find(|(_, entry)| !entry.has_attr(gimli::DW_AT_abstract_origin))
        .or(chain.last());
    let budget = Budget::of(LARGEST);
    let (parameters, variadic) = match definition {
        Some((id, _)) => reader.parameters(*id, &budget),
        None => (Vec::new(), false),
    };
    let result = chain
        .iter()
        .find(|(_, entry)| entry.has_attr(gimli::DW_AT_type))
        .and_then(|(id, entry)| reader.result(id.unit, entry, &budget));
    Signature {
        name: String::new(),
        parameters,
        result,
        variadic,
        slots: None,
        position: chain
            .iter()
            .find_map(|(id, entry)| position(reader.units, *id, entry)),
        targets: Arc::new(Targets::default()),
    }
}

fn position<'a>(units: &Units<'a>, id: EntryId, entry: &Entry<'a>) -> Option<SourcePosition> {
    let line = number(entry, gimli::DW_AT_decl_line)?;
    let file = match entry.attr_value(gimli::DW_AT_decl_file)? {
        gimli::AttributeValue::FileIndex(index) => index,
        value => value.udata_value()?,
    };
    let unit = units.unit(id.unit)?;
    let header = unit.line_program.as_ref()?.header();
    let file = header.file(file)?;
    let text = |value| Some(units.dwarf.attr_string(unit, value).ok()?.to_string_lossy());
    let mut path = text(file.path_name())?.into_owned();
    if !path.starts_with('/')
        && let Some(directory) = file.directory(header)
        && let Some(directory) = text(directory)
        && !directory.is_empty()
    {
        path = format!("{directory}/{path}");
    }
    if !path.starts_with('/')
        && let Some(directory) = &unit.comp_dir
    {
        path = format!("{}/{path}", directory.to_string_lossy());
    }
    Some(SourcePosition {
        file: path,
        line: u32::try_from(line).ok()?,
    })
}

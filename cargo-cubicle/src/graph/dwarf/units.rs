//! The units of a file, and how one entry refers to another.

use super::sections::Slice;
use gimli::{AttributeValue, DebuggingInformationEntry, Dwarf, Unit, UnitOffset, UnitType};
use std::collections::BTreeMap;

pub(super) type Entry<'a> = DebuggingInformationEntry<Slice<'a>>;

/// An entry: the index of its unit, and the offset within.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EntryId {
    pub(super) unit: usize,
    pub(super) offset: UnitOffset,
}

pub(super) struct Units<'a> {
    pub(super) dwarf: &'a Dwarf<Slice<'a>>,
    units: Vec<Unit<Slice<'a>>>,
    /// Where each unit of `.debug_info` starts, in order.
    starts: Vec<(usize, usize)>,
    /// Where the type of each type unit lies, by signature.
    signatures: BTreeMap<u64, EntryId>,
}

impl<'a> Units<'a> {
    pub(super) fn read(
        dwarf: &'a Dwarf<Slice<'a>>,
        problems: &mut Vec<String>,
    ) -> Result<Self, gimli::Error> {
        let mut read = Units {
            dwarf,
            units: Vec::new(),
            starts: Vec::new(),
            signatures: BTreeMap::new(),
        };
        let mut headers = Vec::new();
        let mut units = dwarf.units();
        // What precedes a damaged header is still good.
        loop {
            match units.next() {
                Ok(Some(header)) => headers.push(header),
                Ok(None) => break,
                Err(error) if headers.is_empty() => return Err(error),
                Err(error) => {
                    problems.push(format!("after {} units: {error}", headers.len()));
                    break;
                }
            }
        }
        let mut units = dwarf.type_units();
        while let Ok(Some(header)) = units.next() {
            headers.push(header);
        }
        for header in headers {
            let index = read.units.len();
            let unit = match dwarf.unit(header) {
                Ok(unit) => unit,
                Err(error) => {
                    problems.push(format!("unit {index}: {error}"));
                    continue;
                }
            };
            if let Some(start) = unit.header.debug_info_offset() {
                read.starts.push((start.0, index));
            }
            if let UnitType::Type {
                type_signature,
                type_offset,
            } = unit.header.type_()
            {
                let offset = type_offset;
                let id = EntryId {
                    unit: index,
                    offset,
                };
                read.signatures.insert(type_signature.0, id);
            }
            read.units.push(unit);
        }
        Ok(read)
    }

    pub(super) fn len(&self) -> usize {
        self.units.len()
    }

    /// Unit by index, type units excepted.
    pub(super) fn compilations(&self) -> impl Iterator<Item = (usize, &Unit<Slice<'a>>)> {
        self.units
            .iter()
            .enumerate()
            .filter(|(_, unit)| !matches!(unit.header.type_(), UnitType::Type { .. }))
    }

    /// Whether an assembler wrote the unit.
    pub(super) fn is_assembly(&self, index: usize) -> bool {
        let root = || {
            let mut entries = self.units.get(index)?.entries();
            let root = entries.next_dfs().ok()??;
            root.attr_value(gimli::DW_AT_language)
        };
        matches!(
            root(),
            Some(AttributeValue::Language(gimli::DW_LANG_Mips_Assembler))
        )
    }

    /// The `.dwo` files that skeleton units name.
    pub(super) fn split(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .units
            .iter()
            .filter_map(|unit| {
                let name = unit.dwo_name().ok()??;
                let name = self.dwarf.attr_string(unit, name).ok()?;
                Some(name.to_string_lossy().into_owned())
            })
            .collect();
        names.sort();
        names.dedup();
        names
    }

    pub(super) fn unit(&self, index: usize) -> Option<&Unit<Slice<'a>>> {
        self.units.get(index)
    }

    pub(super) fn entry(&self, id: EntryId) -> Option<Entry<'a>> {
        self.units.get(id.unit)?.entry(id.offset).ok()
    }

    /// The entry that an attribute of an entry in `unit` refers to.
    pub(super) fn follow(
        &self,
        unit: usize,
        value: Option<AttributeValue<Slice<'a>>>,
    ) -> Option<EntryId> {
        match value? {
            AttributeValue::UnitRef(offset) => Some(EntryId { unit, offset }),
            AttributeValue::DebugInfoRef(offset) => {
                let after = self.starts.partition_point(|(start, _)| *start <= offset.0);
                let (_, unit) = *self.starts.get(after.checked_sub(1)?)?;
                let offset = offset.to_unit_offset(&self.units.get(unit)?.header)?;
                Some(EntryId { unit, offset })
            }
            AttributeValue::DebugTypesRef(signature) => self.signatures.get(&signature.0).copied(),
            _ => None,
        }
    }

    /// A string attribute of an entry.
    pub(super) fn text(&self, unit: usize, entry: &Entry<'a>, name: gimli::DwAt) -> Option<String> {
        let value = entry.attr_value(name)?;
        let text = self.dwarf.attr_string(self.units.get(unit)?, value).ok()?;
        Some(text.to_string_lossy().into_owned())
    }
}

/// Whether a flag attribute is there and set.
pub(super) fn flag(entry: &Entry<'_>, name: gimli::DwAt) -> bool {
    matches!(entry.attr_value(name), Some(AttributeValue::Flag(true)))
}

/// An unsigned attribute.
pub(super) fn number(entry: &Entry<'_>, name: gimli::DwAt) -> Option<u64> {
    entry.attr_value(name)?.udata_value()
}

//! Where an unwinder goes on in a function: the landing pads in `.gcc_except_table`. They are
//! distances from the function's start, which no relocation shows.

use std::collections::BTreeSet;

use gimli::{
    BaseAddresses, CieOrFde, DwEhPe, EhFrame, EndianSlice, LittleEndian, Pointer, Reader,
    UnwindSection,
};
use object::{Object, ObjectSection};

use super::super::Image;

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// All landing pads of the image; `None` if one of its tables cannot be read.
pub fn landings(image: &Image, file: &object::File<'_>) -> Option<BTreeSet<u64>> {
    let mut found = BTreeSet::new();
    let Some(section) = file.section_by_name(".eh_frame") else {
        return Some(found);
    };
    let data = section.data().ok()?;
    let frames = EhFrame::new(data, LittleEndian);
    let bases = BaseAddresses::default().set_eh_frame(section.address());
    let mut entries = frames.entries(&bases);
    while let Some(entry) = entries.next().ok()? {
        let CieOrFde::Fde(partial) = entry else {
            continue;
        };
        let fde = partial
            .parse(|_, bases, offset| frames.cie_from_offset(bases, offset))
            .ok()?;
        match fde.lsda() {
            None | Some(Pointer::Direct(0)) => {}
            Some(Pointer::Direct(table)) => {
                pads(image, table, fde.initial_address(), &mut found)?;
            }
            Some(Pointer::Indirect(_)) => return None,
        }
    }
    Some(found)
}

/// The pads of one table, as `__gxx_personality_v0` and Rust's personality read it.
fn pads(image: &Image, table: u64, function: u64, found: &mut BTreeSet<u64>) -> Option<()> {
    let mut slice: Slice<'_> = EndianSlice::new(image.at(table)?, LittleEndian);
    let whole = slice.len();
    let start = DwEhPe(slice.read_u8().ok()?);
    let start = match start == gimli::DW_EH_PE_omit {
        true => function,
        false => {
            let place = table + (whole - slice.len()) as u64;
            encoded(&mut slice, start, place)?
        }
    };
    let types = DwEhPe(slice.read_u8().ok()?);
    if types != gimli::DW_EH_PE_omit {
        slice.read_uleb128().ok()?;
    }
    let encoding = DwEhPe(slice.read_u8().ok()?);
    let length = slice.read_uleb128().ok()?;
    let mut sites = slice.split(usize::try_from(length).ok()?).ok()?;
    while !sites.is_empty() {
        for _ in 0..2 {
            encoded(&mut sites, encoding, 0)?;
        }
        let pad = encoded(&mut sites, encoding, 0)?;
        sites.read_uleb128().ok()?;
        if pad != 0 {
            found.insert(start.wrapping_add(pad));
        }
    }
    Some(())
}

/// A value in one of the encodings that compilers use there.
fn encoded(slice: &mut Slice<'_>, encoding: DwEhPe, place: u64) -> Option<u64> {
    let value = match encoding.format() {
        gimli::DW_EH_PE_absptr | gimli::DW_EH_PE_udata8 | gimli::DW_EH_PE_sdata8 => {
            slice.read_u64().ok()?
        }
        gimli::DW_EH_PE_uleb128 => slice.read_uleb128().ok()?,
        gimli::DW_EH_PE_sleb128 => slice.read_sleb128().ok()? as u64,
        gimli::DW_EH_PE_udata2 => slice.read_u16().ok()?.into(),
        gimli::DW_EH_PE_udata4 => slice.read_u32().ok()?.into(),
        gimli::DW_EH_PE_sdata4 => slice.read_i32().ok()? as u64,
        _ => return None,
    };
    match encoding.application() {
        gimli::DW_EH_PE_absptr => Some(value),
        gimli::DW_EH_PE_pcrel if !encoding.is_indirect() => Some(place.wrapping_add(value)),
        _ => None,
    }
}

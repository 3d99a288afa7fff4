//! Lends of arguments only, and how the ABI says them.

use cubicle_abi::plan::{self, ArgumentPlace, LEND_STAGED, PLACE_ARGUMENT, PLACE_FIELD, Place};

#[derive(Clone, Copy, Debug)]
pub struct Lend {
    pub pointer: ArgumentPlace,
    pub direction: u32,
    pub extent: Extent,
    pub used: Extent,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Extent {
    pub kind: u32,
    pub count: u32,
    pub scale: u64,
    pub operands: [Operand; 2],
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Operand {
    pub place: ArgumentPlace,
    pub size: u8,
    pub signed: u8,
    pub indirect: u8,
}

pub fn convert(flat: &[Lend]) -> Vec<plan::Lend> {
    let pointed: Vec<(u32, u8)> = flat
        .iter()
        .flat_map(|lend| lend.extent.operands.iter().chain(&lend.used.operands))
        .filter(|operand| operand.indirect == 1)
        .map(|operand| (operand.place, operand.size))
        .collect();
    let is_pointed = |place: u32| pointed.iter().any(|(other, _)| *other == place);
    let mut list: Vec<Lend> = flat
        .iter()
        .filter(|l| is_pointed(l.pointer))
        .copied()
        .collect();
    for (place, size) in &pointed {
        if !list.iter().any(|lend| lend.pointer == *place) {
            list.push(Lend {
                pointer: *place,
                direction: 0,
                extent: Extent {
                    kind: plan::EXTENT_CONSTANT,
                    scale: (*size).into(),
                    ..Extent::default()
                },
                used: Extent::default(),
            });
        }
    }
    list.extend(flat.iter().filter(|l| !is_pointed(l.pointer)));
    let extent = |extent: &Extent| plan::Extent {
        kind: extent.kind,
        count: extent.count,
        scale: extent.scale,
        operands: extent.operands.map(|operand| plan::Operand {
            place: if operand.indirect == 1 {
                Place {
                    kind: PLACE_FIELD,
                    index: list
                        .iter()
                        .position(|lend| lend.pointer == operand.place)
                        .unwrap_or(0) as u32,
                    offset: 0,
                }
            } else {
                Place {
                    kind: PLACE_ARGUMENT,
                    index: operand.place,
                    offset: 0,
                }
            },
            size: operand.size,
            signed: operand.signed,
            reserved: [0; 6],
        }),
    };
    list.iter()
        .map(|lend| plan::Lend {
            pointer: Place {
                kind: PLACE_ARGUMENT,
                index: lend.pointer,
                offset: 0,
            },
            extent: extent(&lend.extent),
            used: extent(&lend.used),
            flags: lend.direction
                | if is_pointed(lend.pointer) {
                    LEND_STAGED
                } else {
                    0
                },
            ..plan::Lend::default()
        })
        .collect()
}

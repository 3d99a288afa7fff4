//! What a finished program says about itself: its plan, as the monitor reads it.

use camino::Utf8Path;
use cubicle_abi::layout::{GATE_BASE, GATE_STRIDE};
use cubicle_abi::plan::{Cubicle, Gate, Header, Lend, MECHANISM_PKU, Segment, Slice, Text};
use object::{Object, ObjectSection};

/// The plan of one program.
pub struct Plan {
    bytes: Vec<u8>,
}

impl Plan {
    pub fn of(program: &Utf8Path) -> Plan {
        let bytes = std::fs::read(program).unwrap();
        let file = object::File::parse(bytes.as_slice()).unwrap();
        let section = file.section_by_name(".cubicle.plan").unwrap();
        Plan {
            bytes: section.data().unwrap().to_vec(),
        }
    }

    fn header(&self) -> &Header {
        let whole = Slice {
            offset: 0,
            count: 1,
        };
        &self.array(whole)[0]
    }

    pub fn cubicles(&self) -> &[Cubicle] {
        self.array(self.header().cubicles)
    }

    pub fn segments(&self, cubicle: &Cubicle) -> &[Segment] {
        self.array(cubicle.segments)
    }

    pub fn lends(&self, gate: &Gate) -> &[Lend] {
        self.array(gate.lends)
    }

    pub fn name(&self, name: Slice) -> String {
        let bytes = &self.bytes[name.offset as usize..][..name.count as usize];
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// The number of the gate to a function, and the gate.
    pub fn gate(&self, function: &str) -> (usize, &Gate) {
        let gates: &[Gate] = self.array(self.header().gates);
        let mut numbered = gates.iter().enumerate();
        numbered
            .find(|(_, gate)| self.name(gate.name) == function)
            .unwrap()
    }

    /// The text of a gate with protection keys.
    pub fn text(&self, number: usize) -> &[u8] {
        let texts: &[Text] = self.array(self.header().texts);
        let is_gates = |text: &&Text| text.address == GATE_BASE && text.mechanism == MECHANISM_PKU;
        let text = texts.iter().find(is_gates).unwrap();
        let start = text.bytes.offset as usize + number * GATE_STRIDE as usize;
        &self.bytes[start..][..GATE_STRIDE as usize]
    }

    /// Elements of the plan, which the tool aligned.
    fn array<T>(&self, slice: Slice) -> &[T] {
        let bytes = &self.bytes[slice.offset as usize..][..slice.count as usize * size_of::<T>()];
        // SAFETY: the plan's structures are integers only; alignment is checked.
        let (before, elements, _) = unsafe { bytes.align_to::<T>() };
        assert!(before.is_empty(), "the plan is not aligned in this buffer");
        elements
    }
}

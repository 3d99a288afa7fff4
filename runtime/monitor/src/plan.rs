//! The plan as the monitor reads it.

use cubicle_abi::layout::{PLAN_BASE, PLAN_END};
use cubicle_abi::plan::{
    Cubicle, FilePlace, Gate, Header, KeyedWindow, Lend, MAGIC, Segment, Slice, Text, VERSION,
};

/// A plan in memory.
#[derive(Clone, Copy)]
pub struct Plan {
    header: &'static Header,
}

impl Plan {
    /// The plan of this process, or `None` if there is none of our version.
    ///
    /// # Safety
    /// The plan's range must be mapped as the tool composed it, which is so in
    /// every composed binary.
    pub unsafe fn of_process() -> Option<Plan> {
        // SAFETY: the caller vouches for the range; it is aligned to a page.
        let header = unsafe { &*(PLAN_BASE as *const Header) };
        (header.magic == MAGIC && header.version == VERSION).then_some(Plan { header })
    }

    pub fn header(self) -> &'static Header {
        self.header
    }

    pub fn cubicles(self) -> &'static [Cubicle] {
        self.slice(self.header.cubicles)
    }

    pub fn gates(self) -> &'static [Gate] {
        self.slice(self.header.gates)
    }

    pub fn texts(self) -> &'static [Text] {
        self.slice(self.header.texts)
    }

    pub fn segments(self, cubicle: &Cubicle) -> &'static [Segment] {
        self.slice(cubicle.segments)
    }

    /// What path calls of a narrowed cubicle reach.
    pub fn files(self, cubicle: &Cubicle) -> &'static [FilePlace] {
        self.slice(cubicle.files)
    }

    pub fn lends(self, gate: &Gate) -> &'static [Lend] {
        self.slice(gate.lends)
    }

    pub fn bytes(self, slice: Slice) -> &'static [u8] {
        self.slice(slice)
    }

    pub fn windows(self) -> &'static [KeyedWindow] {
        self.slice(self.header.windows)
    }

    /// What of images is in a keyed window.
    pub fn segments_in(self, window: &KeyedWindow) -> &'static [Segment] {
        self.slice(window.segments)
    }

    /// The keyed window with number `index`.
    pub fn window(self, index: usize) -> Option<&'static KeyedWindow> {
        self.windows()
            .get(index.checked_sub(self.cubicles().len())?)
    }

    /// The name of cubicle or keyed window `index`; of none: the monitor.
    pub fn name(self, index: usize) -> &'static [u8] {
        match (self.cubicles().get(index), self.window(index)) {
            (Some(cubicle), _) => self.bytes(cubicle.name),
            (None, Some(window)) => self.bytes(window.name),
            (None, None) => b"monitor",
        }
    }

    pub(crate) fn slice<T>(self, slice: Slice) -> &'static [T] {
        let start = PLAN_BASE + u64::from(slice.offset);
        let size = u64::from(slice.count) * size_of::<T>() as u64;
        if start + size > PLAN_END {
            return &[];
        }
        // SAFETY: the tool wrote `count` elements there, aligned to 8 bytes;
        // the range is the monitor's and never written again.
        unsafe { core::slice::from_raw_parts(start as *const T, slice.count as usize) }
    }
}

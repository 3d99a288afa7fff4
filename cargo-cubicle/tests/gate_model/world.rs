//! What the model is about: three cubicles, the gates between them, and where
//! everything lies. Addresses are made up; what a gate computes with them is not.

use cargo_cubicle::gates::spec::Fault;
use cargo_cubicle::gates::{GateKind, GateResult, GateShape, GateSpec, GateTarget};
use cubicle_abi::layout;
use cubicle_abi::rights::{KEY_MONITOR, KEY_PUBLIC, Rights, cubicle_key, cubicle_rights};

use super::text::Text;
use std::sync::{Mutex, PoisonError};

pub const CALLER: usize = 0;
pub const CALLEE: usize = 1;
pub const THIRD: usize = 2;
pub const CUBICLES: usize = 3;

/// The slot of a callback that has a function, and one that has none.
pub const SLOT: usize = 3;
pub const EMPTY_SLOT: usize = 4;

const FRAMES: u64 = 0x1000_0000_0000;
const ARENA: u64 = 0x10_0000_0000;
const STACK: u64 = 1 << 20;
pub const MONITOR_STACK: u64 = 0x2000_0001_0000;
pub const STATE: u64 = 0x2100_0000_0000;
pub const BLOCK: u64 = 0x2200_0000_0000;
/// Aligned to its size, with its header at the lowest address.
pub const SIGNAL_STACK: u64 = 0x2300_0000_0000;
pub const SIGNAL_FRAME: u64 = SIGNAL_STACK + 0xf000;
/// Where the model's monitor, which is no text, is returned to.
pub const MONITOR_RETURN: u64 = layout::MONITOR_END - 0x1000;

/// One gate.
#[derive(Clone)]
pub struct Edge {
    pub spec: GateSpec,
}

impl Edge {
    pub fn callback(&self) -> Option<usize> {
        match self.spec.target {
            GateTarget::Callback(number) => Some(number),
            GateTarget::Function(_) => None,
        }
    }

    /// Where a caller goes.
    pub fn entry(&self) -> u64 {
        match self.callback() {
            None => layout::gate(self.spec.index),
            Some(number) => layout::callback_stub(number, SLOT),
        }
    }
}

pub struct World {
    pub rights: Vec<Rights>,
    pub edges: Vec<Edge>,
    pub text: Text,
    /// Who is, or is written at will by, an attacker.
    pub lost: [bool; CUBICLES],
    /// Who has a virtual thread on this thread from the start.
    pub attached: [bool; CUBICLES],
    /// As many levels as a cubicle that is not lost may have on its stack.
    pub depth: usize,
    pub signals: bool,
}

/// The gates of every world: there and back, and with the third cubicle.
fn edges(kind: GateKind, rights: &[Rights], restarts: bool) -> Vec<Edge> {
    let back = match kind {
        GateKind::CallerSees => GateKind::CalleeSees,
        GateKind::CalleeSees => GateKind::CallerSees,
        other => other,
    };
    let checked = |from: usize, to: usize| {
        let (from, to) = (rights[from], rights[to]);
        match () {
            () if from.union(to) == from => GateKind::CallerSees,
            () if from.union(to) == to => GateKind::CalleeSees,
            () => GateKind::Union,
        }
    };
    let mut edges = Vec::new();
    let mut add = |from: usize, to: usize, kind: GateKind, callback: bool| {
        let index = edges.len();
        let target = match callback {
            false => GateTarget::Function(function(to, index)),
            true => GateTarget::Callback(index),
        };
        edges.push(Edge {
            spec: GateSpec {
                function: format!("function {index}"),
                index,
                from,
                to,
                rights_from: rights[from],
                rights_to: rights[to],
                target,
                kind,
                shape: GateShape {
                    integers: 2,
                    vectors: 0,
                    stack_words: if kind == GateKind::Lending { 0 } else { 2 },
                    variadic: false,
                    result: GateResult {
                        integers: 1,
                        vectors: 0,
                    },
                },
                switch_fs: index % 2 == 0,
                callee_uses_x87: false,
                scrub_vectors: true,
                errno: None,
                fault: restarts.then(Fault::default),
            },
        });
    };
    add(CALLER, CALLEE, kind, false);
    add(CALLEE, CALLER, back, true);
    add(CALLEE, THIRD, checked(CALLEE, THIRD), false);
    add(THIRD, CALLEE, checked(THIRD, CALLEE), false);
    add(CALLER, THIRD, checked(CALLER, THIRD), false);
    edges
}

/// The text of a world, emitted once.
fn text(kind: GateKind, restarts: bool, emit: impl Fn() -> Text) -> Text {
    type Known = Vec<((GateKind, bool), Text)>;
    static KNOWN: Mutex<Known> = Mutex::new(Vec::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = (kind, restarts);
    if let Some((_, text)) = known.iter().find(|(key, _)| *key == wanted) {
        return text.clone();
    }
    let text = emit();
    known.push((wanted, text.clone()));
    text
}

/// The function of a gate in the cubicle that it leads to.
pub const fn function(cubicle: usize, index: usize) -> u64 {
    layout::slot(cubicle) + 0x1000 + 0x10 * index as u64
}

/// Where a cubicle goes on behind what it asked for at a level of its stack.
pub const fn continuation(cubicle: usize, level: usize) -> u64 {
    layout::slot(cubicle) + 0x1_0000 + 0x10 * level as u64
}

/// Where a cubicle runs at a level, when it is interrupted there.
pub const fn running(cubicle: usize, level: usize) -> u64 {
    layout::slot(cubicle) + 0x2_0000 + 0x10 * level as u64
}

pub const fn frame(cubicle: usize) -> u64 {
    FRAMES + ARENA * cubicle as u64
}

pub const fn stack(cubicle: usize) -> u64 {
    frame(cubicle) + 0x8000_0000
}

pub const fn thread_pointer(cubicle: usize) -> u64 {
    stack(cubicle) + 0x1000
}

/// What an address has for a key. `None`: nothing is mapped there.
pub fn key_at(address: u64) -> Option<u32> {
    for cubicle in 0..CUBICLES {
        let page = frame(cubicle)..frame(cubicle) + layout::PAGE;
        let stack = stack(cubicle) - STACK..stack(cubicle);
        if page.contains(&address) || stack.contains(&address) {
            return Some(cubicle_key(cubicle));
        }
    }
    let inside = |start: u64, bytes: u64| (start..start + bytes).contains(&address);
    match () {
        () if inside(MONITOR_STACK - STACK, STACK) => Some(KEY_MONITOR),
        () if inside(STATE, STACK) || inside(SIGNAL_STACK, 0x1_0000) => Some(KEY_MONITOR),
        () if inside(
            layout::MONITOR_BASE,
            layout::MONITOR_END - layout::MONITOR_BASE,
        ) =>
        {
            Some(KEY_MONITOR)
        }
        () if inside(BLOCK, layout::PAGE) => Some(KEY_PUBLIC),
        () if inside(layout::STUB_BASE, layout::STUB_END - layout::STUB_BASE) => Some(KEY_PUBLIC),
        () => None,
    }
}

/// The cubicle whose frame or stack an address is in.
pub fn owner(address: u64) -> Option<usize> {
    let cubicle = (address.checked_sub(FRAMES)? / ARENA) as usize;
    (cubicle < CUBICLES).then_some(cubicle)
}

/// Is an address on a cubicle's stack?
pub fn is_stack(address: u64) -> bool {
    owner(address).is_some_and(|cubicle| address >= stack(cubicle) - STACK)
}

impl World {
    /// A world with one kind of gate between caller and callee.
    pub fn new(kind: GateKind, attackers: &[usize]) -> World {
        World::build(kind, attackers, false)
    }

    /// One in which cubicles that fail are restarted.
    pub fn restarting(kind: GateKind, attackers: &[usize]) -> World {
        World::build(kind, attackers, true)
    }

    fn build(kind: GateKind, attackers: &[usize], restarts: bool) -> World {
        let mut rights: Vec<Rights> = (0..CUBICLES).map(cubicle_rights).collect();
        match kind {
            GateKind::CallerSees => rights[CALLER] = rights[CALLER].writing(cubicle_key(CALLEE)),
            GateKind::CalleeSees => rights[CALLEE] = rights[CALLEE].writing(cubicle_key(CALLER)),
            _ => {}
        }
        let edges = edges(kind, &rights, restarts);
        let text = text(kind, restarts, || Text::emit(&rights, &edges));
        let mut lost = [false; CUBICLES];
        for attacker in attackers {
            for (cubicle, lost) in lost.iter_mut().enumerate() {
                *lost |= rights[*attacker].writes(cubicle_key(cubicle));
            }
        }
        World {
            rights,
            edges,
            text,
            lost,
            attached: [true; CUBICLES],
            depth: 2,
            signals: false,
        }
    }

    /// The lost cubicle that could have these rights anyway.
    pub fn attacker_with(&self, rights: Rights) -> Option<usize> {
        (0..CUBICLES)
            .filter(|cubicle| self.lost[*cubicle])
            .find(|cubicle| rights.union(self.rights[*cubicle]) == self.rights[*cubicle])
    }

    /// Rights that somebody could want of a WRPKRU.
    pub fn interesting_rights(&self) -> Vec<u64> {
        let mut all = vec![Rights::ALL, Rights::NONE];
        for own in &self.rights {
            all.extend(self.rights.iter().map(|other| own.union(*other)));
        }
        let mut numbers: Vec<u64> = all.iter().map(|one| one.0.into()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The gate whose function is at this address.
    pub fn gate_to(&self, address: u64) -> Option<usize> {
        (0..self.edges.len()).find(|index| address == function(self.edges[*index].spec.to, *index))
    }
}

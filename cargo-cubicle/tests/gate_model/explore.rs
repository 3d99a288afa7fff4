//! All states that can be reached, and what is wrong in the first one that is.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;

use super::actors;
use super::kernel;
use super::mixer::Mixer;
use super::monitor;
use super::state::*;
use super::step::{Flow, Machine, Violation};
use super::world::*;

/// What an exploration found.
#[derive(Debug)]
pub struct Report {
    /// States in which a cubicle decides.
    pub states: usize,
    /// How often one of them was reached.
    pub arrivals: u64,
    pub instructions: u64,
    pub found: Vec<Found>,
}

pub struct Found {
    pub violation: Violation,
    /// How it came to it, the last first.
    pub path: Vec<String>,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{:?}", self.violation)?;
        self.path.iter().try_for_each(|one| write!(to, "\n  {one}"))
    }
}

/// As many instructions as may lie between two choices, on all ways together.
const LONGEST_WAY: u64 = 20_000;

struct Exploration<'a> {
    world: &'a World,
    known: HashSet<State, BuildHasherDefault<Mixer>>,
    /// What is to be explored, and its place in `history`.
    open: Vec<(State, usize)>,
    /// What was done, and the place of what came before.
    history: Vec<(String, usize)>,
    report: Report,
    /// The instructions that are worth jumping to: see `attack`.
    targets: HashMap<(usize, Vec<Value>), Vec<u64>>,
    /// Kinds that were found already: one of each is enough.
    kinds: HashSet<Violation>,
}

/// Explores the world until everything is known, or the first violation if
/// `one` is enough.
pub fn explore(world: &World, one: bool) -> Report {
    let mut exploration = Exploration {
        world,
        known: HashSet::default(),
        open: Vec::new(),
        history: vec![("start".into(), 0)],
        report: Report {
            states: 0,
            arrivals: 0,
            instructions: 0,
            found: Vec::new(),
        },
        targets: HashMap::new(),
        kinds: HashSet::new(),
    };
    exploration.reach(State::start(world), 0, String::new);
    while let Some((state, place)) = exploration.open.pop() {
        match state.actor {
            Actor::Honest(cubicle) => {
                for (what, next) in actors::honest(world, &state, cubicle) {
                    exploration.run(next, place, &what, None);
                }
            }
            Actor::Attacker(attacker) => exploration.attack(&state, place, attacker),
        }
        if one && !exploration.report.found.is_empty() {
            break;
        }
    }
    exploration.report.states = exploration.known.len();
    exploration.report
}

impl Exploration<'_> {
    fn reach(&mut self, state: State, place: usize, what: impl Fn() -> String) {
        self.report.arrivals += 1;
        let state = actors::forget_what_is_dead(self.world, &state);
        if self.known.contains(&state) {
            return;
        }
        self.known.insert(state.clone());
        self.history.push((what(), place));
        self.open.push((state, self.history.len() - 1));
    }

    /// Jumps to every instruction with registers that are whatever is wanted.
    ///
    /// From the last to the first: an attacker that comes to an instruction with its
    /// own rights, having written nothing that it could not have written anyway, is in
    /// no better place than one that jumped there with the registers of its choice.
    /// Which jumps lead nowhere else depends only on what it reads on that way, which
    /// is public; so that is tried once for each state of the thread block.
    fn attack(&mut self, state: &State, place: usize, attacker: usize) {
        let block = BLOCK..BLOCK + cubicle_abi::layout::PAGE;
        let public = state.memory.values(block);
        let key = (attacker, public);
        let targets = match self.targets.get(&key) {
            Some(known) => known.clone(),
            None => self.world.text.targets().collect(),
        };
        let start = actors::attacker(self.world, state, attacker);
        let mut done = HashSet::new();
        let mut useful = Vec::new();
        for target in targets {
            let mut next = start.clone();
            next.instruction = target;
            if self.run(next, place, "jump", Some((target, &done))) {
                useful.push(target);
            }
            done.insert(target);
        }
        self.targets.insert(key, useful);
        if let Some(next) = monitor::fail(self.world, state, attacker) {
            self.run(next, place, "the attacker fails", None);
        }
        if self.world.signals && state.signal.is_none() {
            let next = kernel::interrupt(self.world, &start, Value::Any);
            self.run(next, place, "the attacker is interrupted", None);
        }
    }

    /// Runs until somebody decides, or all is over. Did it lead to more than the
    /// rights it began with?
    fn run(
        &mut self,
        state: State,
        place: usize,
        what: &str,
        jump: Option<(u64, &HashSet<u64>)>,
    ) -> bool {
        let own = state.rights;
        let mut is_useful = false;
        // Whether rights have changed since the jump.
        let mut machines = vec![(state, false)];
        let end = self.report.instructions + LONGEST_WAY;
        while let Some((state, mut changed)) = machines.pop() {
            let mut machine = Machine {
                world: self.world,
                state,
                forks: Vec::new(),
            };
            loop {
                changed |= machine.state.rights != own;
                is_useful |= changed;
                let at = machine.state.instruction;
                if at == 0 {
                    self.reach(machine.state, place, || what.to_owned());
                    break;
                }
                if let Some((target, done)) = jump
                    && !changed
                    && at != target
                    && done.contains(&at)
                {
                    break;
                }
                self.report.instructions += 1;
                if self.report.instructions > end {
                    self.note(
                        Violation::Endless,
                        at,
                        place,
                        what,
                        jump.map(|(target, _)| target),
                    );
                    return true;
                }
                let flow = machine.step();
                machines.extend(machine.forks.drain(..).map(|fork| (fork, changed)));
                match flow {
                    Ok(Flow::On) => {}
                    Ok(Flow::End) => break,
                    Ok(Flow::Chosen) => {
                        let world = self.world;
                        self.reach(machine.state, place, || match jump {
                            Some((target, _)) => format!("jump to {}", world.text.describe(target)),
                            None => what.to_owned(),
                        });
                        break;
                    }
                    Err(violation) => {
                        is_useful = true;
                        self.note(violation, at, place, what, jump.map(|(target, _)| target));
                        break;
                    }
                }
            }
        }
        is_useful
    }

    fn note(&mut self, violation: Violation, at: u64, place: usize, what: &str, jump: Option<u64>) {
        if !self.kinds.insert(violation) {
            return;
        }
        let mut path = vec![format!("at {}", self.world.text.describe(at))];
        path.push(match jump {
            Some(target) => format!("jump to {}", self.world.text.describe(target)),
            None => what.to_owned(),
        });
        let mut place = place;
        while place != 0 {
            let (what, before) = &self.history[place];
            path.push(what.clone());
            place = *before;
        }
        self.report.found.push(Found { violation, path });
    }
}

//! The tables behind callback gates: for each slot a function, 0 for a free
//! one.

use super::judge::{Crossing, Known, Refused};
use crate::defences::off;
use crate::lock::Lock;
use crate::machine::kernel::{
    self, MAP_ANONYMOUS, MAP_FIXED_NOREPLACE, MAP_PRIVATE, PROT_EXEC, PROT_READ, PROT_WRITE, number,
};
use crate::machine::rights::tag;
use crate::plan::Plan;
use core::sync::atomic::{AtomicUsize, Ordering};
use cubicle_abi::defences::Defence;
use cubicle_abi::layout::{
    CALLBACK_SLOTS, CALLBACK_TABLE_BASE, CALLBACK_TABLE_SIZE, MAXIMUM_CALLBACKS, PAGE,
    callback_stub, callback_table, page_down, page_up,
};
use cubicle_abi::rights::KEY_PUBLIC;

/// The number of the first callback gate.
static FIRST: AtomicUsize = AtomicUsize::new(0);

/// For each slot the function that was passed, 0 for a free one: what the table says,
/// unless that function's cubicle has started anew since.
struct Passed([[u64; CALLBACK_SLOTS]; MAXIMUM_CALLBACKS]);

static PASSED: Lock<Passed> = Lock::new(Passed([[0; CALLBACK_SLOTS]; MAXIMUM_CALLBACKS]));

/// While it lives, no function gets a slot.
pub struct Unchanged {
    _passed: crate::lock::Guard<'static, Passed>,
}

/// Waits until no function is about to get a slot.
pub fn hold() -> Unchanged {
    Unchanged {
        _passed: PASSED.lock(),
    }
}

/// Maps the tables of the plan's callbacks, all slots free.
///
/// # Errors
/// The kernel's error number, negative.
pub fn map(plan: Plan) -> Result<(), i64> {
    let gates = plan.gates();
    let first = gates
        .iter()
        .position(|gate| gate.callback != 0)
        .unwrap_or(gates.len());
    FIRST.store(first, Ordering::Relaxed);
    let size = page_up((gates.len() - first) as u64 * CALLBACK_TABLE_SIZE);
    if size == 0 {
        return Ok(());
    }
    // SAFETY: the layout keeps this range free; NOREPLACE makes sure.
    let mapped = unsafe {
        kernel::call(
            number::MMAP,
            [
                CALLBACK_TABLE_BASE,
                size,
                u64::from(PROT_READ),
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
                u64::MAX,
                0,
            ],
        )
    };
    if mapped != CALLBACK_TABLE_BASE as i64 {
        return Err(mapped);
    }
    tag(
        CALLBACK_TABLE_BASE,
        CALLBACK_TABLE_BASE + size,
        PROT_READ,
        KEY_PUBLIC,
    )
}

/// What the cubicle that calls back through gate `number` gets for `pointer`,
/// which the owner of the function passes. Asking twice gives the same answer.
///
/// # Errors
/// [`Refused`] if it is no function that the owner may pass, or one too many.
pub fn cross(number: usize, pointer: u64) -> Result<u64, Refused> {
    let Some(plan) = crate::process::plan() else {
        return Err(Refused::NoFunction);
    };
    let first = FIRST.load(Ordering::Relaxed);
    let gates = plan.gates();
    let known = Known {
        gates,
        first,
        is_code: &|cubicle, address| {
            plan.cubicles().get(cubicle).is_some_and(|cubicle| {
                plan.segments(cubicle).iter().any(|segment| {
                    segment.protection & PROT_EXEC != 0
                        && (segment.start..segment.end).contains(&address)
                })
            })
        },
        slot: &read,
        alike: &|one, other| {
            one.stack_words == other.stack_words && plan.lends(one) == plan.lends(other)
        },
    };
    match known.judge(&gates[number], pointer) {
        Err(_) if off(Defence::Functions) => Ok(pointer),
        Err(refused) => Err(refused),
        Ok(Crossing::As(value)) => Ok(value),
        Ok(Crossing::Slot(function)) => {
            let callback = number - first;
            slot(callback, function).map(|slot| callback_stub(callback, slot))
        }
    }
}

/// The slot that has `function`, else the first free one. Slots are never freed:
/// nobody says when the other side has forgotten a pointer.
fn slot(callback: usize, function: u64) -> Result<usize, Refused> {
    let mut passed = PASSED.lock();
    let functions = &mut passed.0[callback];
    let wanted = |found: &u64| *found == function || *found == 0;
    let slot = functions.iter().position(wanted).ok_or(Refused::Full)?;
    functions[slot] = function;
    if read(callback, slot) != function {
        fill(callback, slot, function);
    }
    Ok(slot)
}

/// Cubicle `owner` starts anew: what it has passed before knows nothing of that. Whoever
/// calls it finds that the call has failed, until the function is passed again.
pub fn retire(owner: usize) {
    let Some(plan) = crate::process::plan() else {
        return;
    };
    let gone = crate::process::cubicles()[owner]
        .gone
        .load(Ordering::Relaxed);
    let first = FIRST.load(Ordering::Relaxed);
    let passed = PASSED.lock();
    for (callback, gate) in plan.gates()[first..].iter().enumerate() {
        if gate.to as usize != owner {
            continue;
        }
        let used = passed.0[callback].iter().take_while(|found| **found != 0);
        for (slot, _) in used.enumerate() {
            fill(callback, slot, gone);
        }
    }
}

fn place(callback: usize, slot: usize) -> u64 {
    callback_table(callback) + 8 * slot as u64
}

fn read(callback: usize, slot: usize) -> u64 {
    // SAFETY: the callbacks of the plan have their tables mapped and readable,
    // and nobody asks for others.
    unsafe { core::ptr::read_volatile(place(callback, slot) as *const u64) }
}

/// Without keys a cubicle could write what the monitor can, so the page can be
/// written only while this one word changes.
fn fill(callback: usize, slot: usize, function: u64) {
    let place = place(callback, slot);
    let page = page_down(place);
    let open = tag(page, page + PAGE, PROT_READ | PROT_WRITE, KEY_PUBLIC);
    if open.is_ok() {
        // SAFETY: mapped by `map`, writable since the line above.
        unsafe { core::ptr::write_volatile(place as *mut u64, function) };
    }
    if open
        .and_then(|()| tag(page, page + PAGE, PROT_READ, KEY_PUBLIC))
        .is_err()
    {
        crate::violation::fatal("the kernel refused to change a table of callbacks");
    }
}

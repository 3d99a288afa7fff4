//! In which order walls are built, and which of them.

use super::{filter, landlock, seal};
use crate::defences::off;
use crate::machine::kernel::{self, error, number};
use crate::plan::Plan;
use crate::system_calls::sets::is_granted;
use crate::violation::refuse_start_because;
use cubicle_abi::defences::Defence;
use cubicle_abi::plan::PLAN_DUMPS;

const PR_SET_DUMPABLE: u64 = 4;
const PR_SET_NO_NEW_PRIVS: u64 = 38;

/// Builds all walls that this kernel has. `mechanism` as for the texts.
pub fn build(plan: Plan, mechanism: u32) {
    // An audit opens and closes what walls would keep shut.
    if crate::audit::on() {
        return;
    }
    if plan.header().flags & PLAN_DUMPS == 0 && !off(Defence::NotDumpable) {
        expect(
            "making the process not dumpable",
            control(PR_SET_DUMPABLE, 0),
        );
    }
    if !off(Defence::Sealed) {
        wanted("sealing memory", seal::seal(plan, mechanism));
    }
    // A program that a cubicle may start has walls of its own making: these would
    // stand in it, too, and hardly any program runs within them.
    if plan
        .cubicles()
        .iter()
        .any(|cubicle| starts_programs(&cubicle.granted))
    {
        return;
    }
    if !off(Defence::NoNewPrivileges) {
        expect("giving up new privileges", control(PR_SET_NO_NEW_PRIVS, 1));
    }
    if !off(Defence::Landlock) {
        wanted("restricting files", landlock::restrict(plan));
    }
    if !off(Defence::Filter) {
        wanted("filtering system calls", filter::install(plan));
    }
}

fn starts_programs(granted: &[u64; 8]) -> bool {
    is_granted(granted, number::EXECVE) || is_granted(granted, number::EXECVEAT)
}

fn control(option: u64, value: u64) -> Result<(), i64> {
    // SAFETY: neither option involves memory.
    match unsafe { kernel::call(number::PRCTL, [option, value, 0, 0, 0, 0]) } {
        result if result < 0 => Err(result),
        _ => Ok(()),
    }
}

/// A wall that every kernel has.
fn expect(what: &str, built: Result<(), i64>) {
    if let Err(error) = built {
        refuse_start_because(what, error);
    }
}

/// A wall that some kernels do not have, or have switched off.
fn wanted(what: &str, built: Result<(), i64>) {
    const EOPNOTSUPP: i64 = 95;
    match built {
        Err(error) if error != -error::ENOSYS && error != -EOPNOTSUPP => {
            refuse_start_because(what, error);
        }
        _ => {}
    }
}

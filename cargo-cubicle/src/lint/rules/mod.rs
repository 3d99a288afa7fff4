//! Rules that nothing else needs: what they look at could be built as it is. The other rules belong to the phase
//! that could not go on otherwise.

mod calls_of_kernel;
mod executable_writable;
mod own;
mod raw_syscall;
mod seen_authority;
mod ungranted_syscall;

use crate::assign::{ArchiveError, Assignment, ImageInputs};
use crate::diagnostics::Findings;
use crate::images::Image;
use crate::manifest::Policy;
use crate::plan::call_sites::CallSites;
use crate::plan::{Cubicle, Plan};
use calls_of_kernel::CallsOfKernel;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    pub policy: &'a Policy,
    pub assignment: &'a Assignment,
    pub plan: &'a Plan,
    /// As they were linked, in the plan's order.
    pub images: &'a [Image],
}

/// Applies what is about the cubicles' own objects: linkers refuse some of that with less to go by.
///
/// # Errors
/// If an object cannot be read.
pub fn check_objects(
    policy: &Policy,
    assignment: &Assignment,
    findings: &mut Findings,
) -> Result<(), ArchiveError> {
    for (cubicle, objects) in &assignment.images {
        executable_writable::check(policy, cubicle, objects, findings)?;
    }
    Ok(())
}

/// Applies all others.
///
/// # Errors
/// If an object or image cannot be read.
pub fn check(inputs: Inputs<'_>, findings: &mut Findings) -> anyhow::Result<()> {
    seen_authority::check(inputs, findings);
    let mut sites = CallSites::new(inputs.images);
    for (number, (cubicle, image)) in inputs.plan.cubicles.iter().zip(inputs.images).enumerate() {
        let calls = CallsOfKernel::of(image);
        let subject = Subject {
            inputs,
            number,
            calls: &calls,
            objects: &inputs.assignment.images[&cubicle.name],
        };
        raw_syscall::check(&subject, &mut sites, findings)?;
        ungranted_syscall::check(&subject, &mut sites, findings)?;
    }
    Ok(())
}

/// One cubicle.
struct Subject<'a> {
    inputs: Inputs<'a>,
    /// In the plan.
    number: usize,
    calls: &'a CallsOfKernel,
    objects: &'a ImageInputs,
}

impl<'a> Subject<'a> {
    fn image(&self) -> &'a Image {
        &self.inputs.images[self.number]
    }

    fn cubicle(&self) -> &'a Cubicle {
        &self.inputs.plan.cubicles[self.number]
    }
}

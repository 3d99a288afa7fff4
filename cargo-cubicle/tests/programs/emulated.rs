//! Runs programs in the emulated machine.

use std::collections::BTreeMap;

use camino::Utf8Path;
use cargo_cubicle::vm::{Job, Machine, Outcome};

/// Runs all jobs, in as many machines as there are processors: an emulated machine keeps one busy.
/// All jobs of a program run in the same one, which has to be given it. Outcomes are in the order of
/// the jobs.
pub fn run_all(machine: &Machine, jobs: &[Job]) -> Vec<Outcome> {
    let machines = std::thread::available_parallelism().map_or(1, usize::from);
    let mut programs: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, job) in jobs.iter().enumerate() {
        programs.entry(&job.program).or_default().push(index);
    }
    // The largest first, each where there is least so far.
    let mut programs: Vec<_> = programs.into_values().collect();
    programs.sort_by_key(|jobs| std::cmp::Reverse(jobs.len()));
    let mut shares = vec![Vec::new(); machines];
    for jobs in programs {
        let least = shares.iter_mut().min_by_key(|share| share.len());
        least.expect("one processor at least").extend(jobs);
    }
    let run = |share: &[usize]| {
        let jobs: Vec<Job> = share.iter().map(|index| jobs[*index].clone()).collect();
        let work = tempfile::tempdir().unwrap();
        let work = Utf8Path::from_path(work.path()).unwrap();
        machine.run(&jobs, work).unwrap()
    };
    let mut outcomes: Vec<Option<Outcome>> = jobs.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let shares: Vec<_> = (shares.iter().filter(|share| !share.is_empty()))
            .map(|share| (share, scope.spawn(|| run(share))))
            .collect();
        for (share, running) in shares {
            for (index, outcome) in share.iter().zip(running.join().unwrap()) {
                outcomes[*index] = Some(outcome);
            }
        }
    });
    let outcomes = outcomes.into_iter();
    outcomes
        .map(|outcome| outcome.expect("every job was run"))
        .collect()
}

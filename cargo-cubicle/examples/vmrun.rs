use cargo_cubicle::vm::*;
use std::time::Duration;
fn main() {
    let o = Options { install: true, ..Options::default() };
    let m = Machine::prepare(&o).unwrap_or_else(|e| panic!("{e:?}"));
    let jobs: Vec<Job> = std::env::args().skip(1).map(|a| {
        let mut parts = a.split(' ');
        let mut j = Job::new(parts.next().unwrap().into(), Duration::from_secs(60));
        for p in parts {
            if let Some((g,h)) = p.split_once('=') { j.files.push((g.into(), h.into())); } else { j.arguments.push(p.into()); }
        }
        j }).collect();
    let d = tempfile::tempdir().unwrap();
    match m.run(&jobs, camino::Utf8Path::from_path(d.path()).unwrap()) {
        Ok(out) => for o in out { println!("== {}\n{}---\n{}", o.status, String::from_utf8_lossy(&o.stdout), String::from_utf8_lossy(&o.stderr)); },
        Err(e) => println!("{e:?}"),
    }
}

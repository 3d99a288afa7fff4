//! Packs jobs into the archive that the machine boots from.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};

use super::cpio::Archive;
use super::error::at;
use super::{Job, VmError, wire};

/// Compiled by the build script from `runtime/init`.
static INIT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/init"));

/// The archive for these jobs.
pub fn pack(jobs: &[Job]) -> Result<Vec<u8>, VmError> {
    let mut blobs = Blobs::default();
    let listed = jobs
        .iter()
        .map(|job| lower(job, &mut blobs))
        .collect::<Result<Vec<_>, _>>()?;
    let mut archive = Archive::default();
    // The kernel opens it for `/init` before `/init` can mount anything.
    archive.device("dev/console", 0o600, 5, 1);
    archive.file("init", 0o755, INIT);
    archive.file(
        wire::JOBS.trim_start_matches('/'),
        0o644,
        &wire::write_jobs(&listed),
    );
    for (content, number) in &blobs.numbers {
        archive.file(
            wire::blob_path(*number).trim_start_matches('/'),
            0o755,
            content,
        );
    }
    Ok(archive.finish())
}

/// The contents that the guest needs, each of them once.
#[derive(Default)]
struct Blobs {
    numbers: BTreeMap<Vec<u8>, u32>,
    read: BTreeMap<Utf8PathBuf, u32>,
}

impl Blobs {
    fn add(&mut self, content: Vec<u8>) -> u32 {
        let next = self.numbers.len() as u32;
        match self.numbers.entry(content) {
            Entry::Vacant(entry) => *entry.insert(next),
            Entry::Occupied(entry) => *entry.get(),
        }
    }

    fn add_file(&mut self, path: &Utf8Path) -> Result<u32, VmError> {
        if let Some(number) = self.read.get(path) {
            return Ok(*number);
        }
        let content = fs::read(path).map_err(at(path))?;
        if u32::try_from(content.len()).is_err() {
            return Err(VmError::TooLarge {
                path: path.to_owned(),
            });
        }
        let number = self.add(content);
        self.read.insert(path.to_owned(), number);
        Ok(number)
    }
}

fn lower(job: &Job, blobs: &mut Blobs) -> Result<wire::Job, VmError> {
    let mut files = Vec::new();
    for (guest, host) in &job.files {
        place(guest, host, blobs, &mut files, &mut BTreeSet::new())?;
    }
    let name = [job.program.as_str().to_owned()];
    Ok(wire::Job {
        program: blobs.add_file(&job.program)?,
        arguments: name
            .iter()
            .chain(&job.arguments)
            .map(|text| text.clone().into_bytes())
            .collect(),
        environment: job
            .environment
            .iter()
            .map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes()))
            .collect(),
        files,
        stdin: job.stdin.clone().map(|content| blobs.add(content)),
        collect: job
            .collect
            .iter()
            .map(|path| path.as_str().into())
            .collect(),
        timeout: u64::try_from(job.timeout.as_millis()).unwrap_or(u64::MAX - 1),
    })
}

/// Adds a file, or everything in a directory. `within` holds the directories on
/// the way here, since a symbolic link may lead back to one of them.
fn place(
    guest: &Utf8Path,
    host: &Utf8Path,
    blobs: &mut Blobs,
    files: &mut Vec<(Vec<u8>, u32, u32)>,
    within: &mut BTreeSet<Utf8PathBuf>,
) -> Result<(), VmError> {
    let kind = fs::metadata(host).map_err(at(host))?;
    if !kind.is_dir() {
        let number = blobs.add_file(host)?;
        files.push((
            guest.as_str().into(),
            number,
            kind.permissions().mode() & 0o777,
        ));
        return Ok(());
    }
    let real = host.canonicalize_utf8().map_err(at(host))?;
    if !within.insert(real.clone()) {
        return Ok(());
    }
    let mut names = Vec::new();
    for entry in host.read_dir_utf8().map_err(at(host))? {
        names.push(entry.map_err(at(host))?.file_name().to_owned());
    }
    names.sort();
    for name in names {
        place(&guest.join(&name), &host.join(&name), blobs, files, within)?;
    }
    within.remove(&real);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_guest_reads_the_jobs_that_were_written_and_equal_contents_are_stored_once() {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap();
        for name in ["one", "two", "tree/deep/leaf"] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "same").unwrap();
        }
        std::os::unix::fs::symlink(root.join("tree"), root.join("tree/again")).unwrap();
        let job = |program: &str| Job {
            arguments: vec!["-x".into()],
            environment: vec![("A".into(), "b=c".into())],
            files: vec![
                ("/etc/here".into(), root.join("one")),
                ("there".into(), root.join("tree")),
            ],
            stdin: Some(b"same".to_vec()),
            collect: vec!["out".into()],
            ..Job::new(root.join(program), Duration::from_millis(1500))
        };
        let mut blobs = Blobs::default();
        let lowered = ["one", "two"].map(|name| lower(&job(name), &mut blobs).unwrap());
        assert_eq!(blobs.numbers.len(), 1);
        assert_eq!(
            lowered[1],
            wire::Job {
                program: 0,
                arguments: vec![root.join("two").into_string().into_bytes(), b"-x".to_vec()],
                environment: vec![(b"A".to_vec(), b"b=c".to_vec())],
                files: vec![
                    (b"/etc/here".to_vec(), 0, 0o644),
                    (b"there/deep/leaf".to_vec(), 0, 0o644)
                ],
                stdin: Some(0),
                collect: vec![b"out".to_vec()],
                timeout: 1500,
            }
        );
        let text = wire::write_jobs(&lowered);
        assert_eq!(wire::read_jobs(&text).unwrap(), lowered);
        for end in 0..text.len() {
            assert_eq!(wire::read_jobs(&text[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn a_missing_program_is_named() {
        let job = Job::new("/no/such/program", Duration::from_secs(1));
        let message = pack(&[job]).unwrap_err().to_string();
        assert!(message.starts_with("/no/such/program: "), "{message}");
    }
}

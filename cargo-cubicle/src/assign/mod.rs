//! Phase 3: which object belongs to which cubicle.
//!
//! Objects are claimed by package, by native library, or by the manifest's own
//! lists. What nothing claims is the main cubicle's; Rust code that nothing
//! claims, and system libraries, are available to every image, which takes a
//! private copy of what it needs.

mod archive;
mod claims;
mod usable;

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::capture::{ArchiveKind, LinkItem, LinkLine};
use crate::diagnostics::{Code, Finding, Findings, Fix, Place};
use crate::manifest::{Cubicle, Policy};

pub use archive::{
    ArchiveError, Member, each as each_member, each_object, empty as empty_folder, extract,
    map as map_file, members, weakened,
};
use claims::Claims;
pub use usable::{Unusable, object as check_object};

/// What goes into each image.
#[derive(Debug, Default)]
pub struct Assignment {
    /// By cubicle.
    pub images: BTreeMap<String, ImageInputs>,
}

/// The inputs of one image.
#[derive(Debug, Default)]
pub struct ImageInputs {
    /// Objects that are part of it whatever refers to them.
    pub objects: Vec<Utf8PathBuf>,
    /// Pieces of the link line, in its order.
    pub line: Vec<Piece>,
}

/// A piece of an image's link line.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// An object of the program itself.
    Object(Utf8PathBuf),
    /// Objects that are taken when something refers to them, as members of an
    /// archive are. `owned`: what they define is this cubicle's; otherwise it
    /// is a private copy.
    Lazy {
        objects: Vec<Utf8PathBuf>,
        owned: bool,
    },
    /// Another cubicle's Rust objects, with weak definitions, lazily: only for
    /// the instances of generic code in them.
    Foreign { objects: Vec<Utf8PathBuf> },
    /// A whole archive, lazily; what it defines is a private copy or, in the
    /// main image, its own.
    Archive { path: Utf8PathBuf, owned: bool },
    /// A word for the driver.
    Word(String),
}

impl ImageInputs {
    /// Everything whose definitions are this cubicle's own: others reach them
    /// through gates only.
    pub fn owned(&self) -> impl Iterator<Item = &Utf8PathBuf> {
        self.objects
            .iter()
            .chain(self.line.iter().flat_map(|piece| match piece {
                Piece::Object(path) | Piece::Archive { path, owned: true } => {
                    std::slice::from_ref(path).iter()
                }
                Piece::Lazy {
                    objects,
                    owned: true,
                } => objects.iter(),
                _ => [].iter(),
            }))
    }

    /// Others' objects, of which only instances of generic code are taken.
    pub fn foreign(&self) -> impl Iterator<Item = &Utf8PathBuf> {
        self.line.iter().flat_map(|piece| match piece {
            Piece::Foreign { objects } => objects.iter(),
            _ => [].iter(),
        })
    }

    /// Everything else that may become part of the image and is not the
    /// system's.
    pub fn all(&self) -> impl Iterator<Item = &Utf8PathBuf> {
        self.objects
            .iter()
            .chain(self.line.iter().flat_map(|piece| match piece {
                Piece::Object(path) | Piece::Archive { path, .. } => {
                    std::slice::from_ref(path).iter()
                }
                Piece::Lazy { objects, .. } => objects.iter(),
                Piece::Foreign { .. } | Piece::Word(_) => [].iter(),
            }))
    }
}

/// Assigns everything on the link line and in the manifest.
///
/// # Errors
/// If an archive cannot be read or a file not be written.
pub fn assign(
    line: &LinkLine,
    policy: &Policy,
    findings: &mut Findings,
) -> Result<Assignment, ArchiveError> {
    let claims = Claims::of(policy);
    let mut assignment = Assignment::default();
    let names: Vec<&String> = policy
        .cubicles
        .iter()
        .filter(|(_, cubicle)| !cubicle.is_shared())
        .map(|(name, _)| name)
        .collect();
    for name in &names {
        assignment
            .images
            .insert((*name).clone(), ImageInputs::default());
    }
    let Some((main, _)) = policy.main() else {
        return Ok(assignment);
    };
    let scratch = line.directory.join("assigned");
    archive::empty(&scratch)?;
    let mut used = claims::Used::default();
    for item in &line.items {
        findings.extend(unusable(item, line)?);
        for name in &names {
            let inputs = assignment
                .images
                .get_mut(*name)
                .expect("every cubicle has an entry");
            let is_main = name.as_str() == main;
            match item {
                LinkItem::Object(path) => {
                    if is_main {
                        inputs.line.push(Piece::Object(path.clone()));
                    } else if archive::is_allocator_shim(path)? {
                        inputs.line.push(Piece::Lazy {
                            objects: vec![path.clone()],
                            owned: false,
                        });
                    }
                }
                LinkItem::Archive(archive) if archive.kind == ArchiveKind::Rlib => {
                    let record = archive.record.as_ref();
                    let owner = record.and_then(|record| claims.of_package(&record.package));
                    if let (Some(_), Some(record)) = (owner, record) {
                        used.package(&record.package);
                    }
                    rlib(inputs, archive, name, main, owner, &scratch)?;
                }
                LinkItem::Archive(archive) if archive.kind == ArchiveKind::Native => {
                    let library = native_name(&archive.path);
                    let owner = claims.of_library(&library, line);
                    if owner.is_some() {
                        used.library(&library);
                    }
                    native(inputs, &archive.path, name, owner, is_main);
                }
                LinkItem::Archive(archive) => inputs.line.push(Piece::Archive {
                    path: archive.path.clone(),
                    owned: false,
                }),
                LinkItem::Library(library) => {
                    let owner = claims.of_library(&library.name, line);
                    if owner.is_some() {
                        used.library(&library.name);
                    }
                    match (&library.file, owner) {
                        (Some(path), _) if owner.is_some() || was_built(path, line) => {
                            native(inputs, path, name, owner, is_main);
                        }
                        _ => inputs.line.push(Piece::Word(format!("-l{}", library.name))),
                    }
                }
                LinkItem::SearchPath(path) => {
                    inputs.line.push(Piece::Word(format!("-L{path}")));
                }
                LinkItem::Other(word) => inputs.line.push(Piece::Word(word.clone())),
            }
        }
    }
    let mut claimed: BTreeMap<Utf8PathBuf, &str> = BTreeMap::new();
    for (name, cubicle) in &policy.cubicles {
        let Some(inputs) = assignment.images.get_mut(name) else {
            continue;
        };
        for (path, place) in objects(cubicle, policy, findings) {
            if let Some(other) = claimed.insert(path.clone(), name) {
                findings.push(claimed_twice(&path, other, name, policy));
            }
            if let Some(finding) = usable::check(&path, Some(place), |_| true)? {
                findings.push(finding);
                continue;
            }
            if path.extension() == Some("a") {
                inputs.line.push(Piece::Archive { path, owned: true });
            } else {
                inputs.objects.push(path);
            }
        }
        for (number, sources) in cubicle.c.iter().enumerate() {
            claims::compile((name, number), sources, policy, line, inputs, findings);
        }
        used.report_unused(cubicle, policy, line, findings);
    }
    Ok(assignment)
}

/// The files that a cubicle's `objects` match, sorted and each once, with the pattern.
fn objects(
    cubicle: &Cubicle,
    policy: &Policy,
    findings: &mut Findings,
) -> BTreeMap<Utf8PathBuf, Place> {
    let mut objects = BTreeMap::new();
    for pattern in &cubicle.objects {
        let (paths, problems) = policy.resolve(std::slice::from_ref(pattern));
        findings.extend(problems);
        for path in paths {
            objects
                .entry(path)
                .or_insert_with(|| policy.place(&pattern.span, "matched by this"));
        }
    }
    objects
}

/// What is wrong with native code that a build script has made.
fn unusable(item: &LinkItem, line: &LinkLine) -> Result<Option<Finding>, ArchiveError> {
    match item {
        LinkItem::Archive(archive) if archive.kind != ArchiveKind::Toolchain => {
            let package = archive.record.as_ref().map(|record| &record.package);
            let place = package.map(|package| Place::note(format!("in package `{package}`")));
            usable::check(&archive.path, place, |member| !archive::is_rust(member))
        }
        LinkItem::Library(library) => match &library.file {
            Some(path) if was_built(path, line) => usable::check(path, None, |_| true),
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// One rlib, for the image of cubicle `name`.
fn rlib(
    inputs: &mut ImageInputs,
    archive: &crate::capture::Archive,
    name: &str,
    main: &str,
    owner: Option<&str>,
    scratch: &camino::Utf8Path,
) -> Result<(), ArchiveError> {
    let has_native = archive::has_native_members(&archive.path)?;
    let glue = archive
        .record
        .as_ref()
        .is_some_and(|record| record.links.is_some());
    let owner = owner.unwrap_or(main);
    let rust_is_private = owner == main || glue;
    if owner == name && (!glue || owner == main) {
        // All of it, native and Rust.
        inputs.line.push(Piece::Archive {
            path: archive.path.clone(),
            owned: true,
        });
        return Ok(());
    }
    if !has_native && rust_is_private {
        inputs.line.push(Piece::Archive {
            path: archive.path.clone(),
            owned: false,
        });
        return Ok(());
    }
    let members = archive::extract(&archive.path, scratch)?;
    let (native, rust): (Vec<_>, Vec<_>) = members.into_iter().partition(|member| !member.rust);
    if owner == name {
        inputs.line.push(Piece::Lazy {
            objects: native.into_iter().map(|member| member.path).collect(),
            owned: true,
        });
    }
    let objects: Vec<Utf8PathBuf> = rust.into_iter().map(|member| member.path).collect();
    inputs.line.push(if rust_is_private {
        Piece::Lazy {
            objects,
            owned: false,
        }
    } else {
        Piece::Foreign {
            objects: archive::weaken(&objects)?,
        }
    });
    Ok(())
}

/// A native library, for the image of cubicle `name`.
fn native(
    inputs: &mut ImageInputs,
    path: &camino::Utf8Path,
    name: &str,
    owner: Option<&str>,
    is_main: bool,
) {
    let owned = owner == Some(name);
    if owned || owner.is_none() {
        inputs.line.push(Piece::Archive {
            path: path.to_owned(),
            owned: owned || owner.is_none() && is_main,
        });
    }
}

/// Whether a library comes from a build script of this build. Then it is part of
/// the program like its other objects; all others are the system's.
fn was_built(path: &camino::Utf8Path, line: &LinkLine) -> bool {
    // It is `PROFILE/cubicle/STEM`.
    let profile = line.directory.ancestors().nth(2);
    profile.is_some_and(|profile| path.starts_with(profile))
}

/// `z` of `libz.a`.
fn native_name(path: &camino::Utf8Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.strip_prefix("lib").unwrap_or(stem).to_owned()
}

/// An object that the patterns of two cubicles match (CUB012).
fn claimed_twice(path: &camino::Utf8Path, one: &str, other: &str, policy: &Policy) -> Finding {
    let place = |name: &str| {
        let cubicle = &policy.cubicles[name];
        let span = cubicle
            .objects
            .first()
            .map_or(&cubicle.name.span, |pattern| &pattern.span);
        policy.place(span, format!("`{name}` claims it here"))
    };
    Finding::of_rule(
        Code::CUB012,
        format!("cubicles `{one}` and `{other}` both claim `{path}`"),
    )
    .at(place(one))
    .at(place(other))
    .help("let each object be matched by the patterns of one cubicle only")
}

/// An entry that matched nothing (CUB013).
fn unused(place: Place, what: &str) -> Finding {
    Finding::of_rule(Code::CUB013, what.to_owned())
        .at(place)
        .fix(Fix::Remove)
}

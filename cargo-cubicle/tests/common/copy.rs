//! Copies of projects, which tests may change.

use std::fs;

use camino::Utf8Path;

/// Copies a folder's sources: what was built there stays.
pub fn copy(from: &Utf8Path, to: &Utf8Path) {
    fs::create_dir_all(to).unwrap();
    for entry in from.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if !entry.file_type().unwrap().is_dir() {
            update(&to, &fs::read(entry.path()).unwrap());
        } else if !matches!(entry.file_name(), "target" | "build") {
            copy(entry.path(), &to);
        }
    }
}

/// Leaves a file alone that is right already: its time says when it changed.
pub fn update(path: &Utf8Path, bytes: &[u8]) {
    if !fs::read(path).is_ok_and(|old| old == bytes) {
        fs::write(path, bytes).unwrap();
    }
}

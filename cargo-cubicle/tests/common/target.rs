//! Target directories that tests share and later runs find again.

use camino::Utf8PathBuf;

/// One of this name, which is there: two cargos that make the same directory at the
/// same moment get in each other's way.
pub fn shared_target(name: &str) -> Utf8PathBuf {
    let target = Utf8PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&target).unwrap();
    target
}

//! Resolves the manifest's file patterns against the file system.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::located::Located;
use super::policy::Policy;
use super::read::quoted;
use crate::diagnostics::{Finding, Findings};

/// How a pattern is matched: like a shell's, so that `*` stays inside a folder.
const OPTIONS: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

impl Policy {
    /// The files that `patterns` of this manifest match, sorted and each once,
    /// as paths that begin with the manifest's folder. A pattern that matches no
    /// file, or reaches one that cannot be named or read, is an error; the files
    /// of the other patterns are returned all the same.
    pub fn resolve(&self, patterns: &[Located<String>]) -> (Vec<Utf8PathBuf>, Findings) {
        let mut files = BTreeSet::new();
        let mut findings = Findings::new();
        for pattern in patterns {
            match matches(self.folder(), pattern) {
                Ok(found) if found.is_empty() => findings.push(
                    Finding::error(format!("{} matches no file", quoted(pattern)))
                        .at(self.place(&pattern.span, ""))
                        .help(format!("patterns are relative to `{}`", self.folder())),
                ),
                Ok(found) => files.extend(found),
                Err(reason) => findings.push(
                    Finding::error(format!("{} cannot be resolved", quoted(pattern)))
                        .at(self.place(&pattern.span, reason)),
                ),
            }
        }
        (files.into_iter().collect(), findings)
    }
}

fn matches(folder: &Utf8Path, pattern: &str) -> Result<Vec<Utf8PathBuf>, String> {
    // The folder may have characters in its name that mean something in a
    // pattern. An absolute pattern replaces the folder, as with any path.
    let folder = Utf8PathBuf::from(glob::Pattern::escape(folder.as_str()));
    let whole = folder.join(pattern);
    let paths = glob::glob_with(whole.as_str(), OPTIONS).map_err(|error| error.to_string())?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| error.to_string())?;
        let path = Utf8PathBuf::from_path_buf(path)
            .map_err(|path| format!("{} is not UTF-8", path.display()))?;
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;

    fn resolve(root: &Utf8Path, objects: &str) -> (Vec<String>, Vec<String>) {
        let text = format!("schema = 1\n[cubicle.a]\nmain = true\nobjects = {objects}\n");
        let policy = manifest::parse(&root.join("Cubicle.toml"), &text).expect("a good manifest");
        let (files, findings) = policy.resolve(&policy.cubicles["a"].objects);
        let name = |file: Utf8PathBuf| {
            let inside = file.strip_prefix(root).expect("inside the folder");
            inside.to_string()
        };
        (
            files.into_iter().map(name).collect(),
            findings.into_iter().map(|f| f.message).collect(),
        )
    }

    #[test]
    fn patterns_are_relative_sorted_and_must_match() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // A folder whose own name looks like a pattern.
        let root = Utf8Path::from_path(folder.path())
            .expect("a UTF-8 path")
            .join("we[i]rd*");
        std::fs::create_dir_all(root.join("build/deep.o")).expect("new folders");
        for name in ["build/b.o", "build/a.o", "build/c.a"] {
            std::fs::write(root.join(name), "").expect("a new file");
        }
        let (files, messages) = resolve(&root, r#"["build/*.o", "build/c.a", "build/a.*"]"#);
        assert_eq!(files, ["build/a.o", "build/b.o", "build/c.a"]);
        assert!(messages.is_empty());

        let (files, messages) = resolve(&root, r#"["*.o", "build/b.o", "lib/*.a"]"#);
        assert_eq!(files, ["build/b.o"]);
        assert_eq!(
            messages,
            ["`*.o` matches no file", "`lib/*.a` matches no file"]
        );
    }
}

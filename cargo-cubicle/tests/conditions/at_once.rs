//! Several builds in one target directory.

use std::process::Stdio;

use crate::project::{Project, text};

#[test]
fn builds_in_one_directory_wait_for_each_other() {
    let project = Project::new(1);
    let kinds: [&[&str]; 4] = [&[], &["--benchmark-stand-in"], &[], &["--release"]];
    let builds: Vec<_> = kinds
        .iter()
        .map(|flags| {
            let mut command = project.build();
            command.args(*flags);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for build in builds {
        let output = build.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }
    // Whichever was last, the program is whole; and a build by itself makes its own.
    project.check(1);
    project.build_and_check(1);
}

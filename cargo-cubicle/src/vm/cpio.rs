//! Writes the archive that the kernel unpacks as its first file system: the
//! "newc" form of cpio (Linux, `Documentation/driver-api/early-userspace/buffer-format.rst`).
//!
//! Not compressed: QEMU hands it over in one piece, while unpacking costs the
//! emulated processor time.

use std::collections::BTreeSet;

const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const CHARACTER_DEVICE: u32 = 0o020_000;

/// An archive in the making. Paths are relative to the root, without a leading slash.
#[derive(Default)]
pub struct Archive {
    bytes: Vec<u8>,
    directories: BTreeSet<String>,
    /// Inode numbers differ, or the kernel would take files for hard links.
    inode: u32,
}

impl Archive {
    /// A file of less than 4 GiB, with permission bits such as `0o755`.
    pub fn file(&mut self, path: &str, permissions: u32, content: &[u8]) {
        self.parents(path);
        self.entry(path, REGULAR | permissions, (0, 0), content);
    }

    /// A character device.
    pub fn device(&mut self, path: &str, permissions: u32, major: u32, minor: u32) {
        self.parents(path);
        self.entry(path, CHARACTER_DEVICE | permissions, (major, minor), &[]);
    }

    /// The finished archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, (0, 0), &[]);
        self.bytes
    }

    /// The kernel creates no directory that the archive does not list first.
    fn parents(&mut self, path: &str) {
        let ends = path.match_indices('/').map(|(end, _)| end);
        for parent in ends.map(|end| &path[..end]) {
            if self.directories.insert(parent.to_owned()) {
                self.entry(parent, DIRECTORY | 0o755, (0, 0), &[]);
            }
        }
    }

    fn entry(&mut self, path: &str, mode: u32, device: (u32, u32), content: &[u8]) {
        self.inode += 1;
        let (major, minor) = device;
        let size = content.len() as u32;
        let name = path.len() as u32 + 1;
        self.bytes.extend_from_slice(b"070701");
        // inode, mode, user, group, links, time, size, device of the file (2),
        // device that it is (2), length of the name with its NUL, checksum
        for field in [
            self.inode, mode, 0, 0, 1, 0, size, 0, 0, major, minor, name, 0,
        ] {
            self.bytes
                .extend_from_slice(format!("{field:08X}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::Archive;

    #[test]
    fn lists_directories_once_and_before_their_files() {
        let mut archive = Archive::default();
        archive.file("a/b/one", 0o755, b"12345");
        archive.file("a/b/two", 0o644, b"");
        archive.device("dev/console", 0o600, 5, 1);
        let bytes = archive.finish();
        assert_eq!(bytes.len() % 4, 0);

        // Walk the archive as its reader does.
        let mut names = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let field = |index: usize| {
                let start = at + 6 + index * 8;
                usize::from_str_radix(str::from_utf8(&bytes[start..start + 8]).unwrap(), 16)
                    .unwrap()
            };
            assert_eq!(&bytes[at..at + 6], b"070701");
            let (size, name) = (field(6), field(11));
            let text = str::from_utf8(&bytes[at + 110..at + 110 + name - 1]).unwrap();
            names.push(format!(
                "{text} {:o} {size} {}:{}",
                field(1),
                field(9),
                field(10)
            ));
            let content = (at + 110 + name).next_multiple_of(4);
            if text == "a/b/one" {
                assert_eq!(&bytes[content..content + size], b"12345");
            }
            at = (content + size).next_multiple_of(4);
        }
        assert_eq!(
            names,
            [
                "a 40755 0 0:0",
                "a/b 40755 0 0:0",
                "a/b/one 100755 5 0:0",
                "a/b/two 100644 0 0:0",
                "dev 40755 0 0:0",
                "dev/console 20600 0 5:1",
                "TRAILER!!! 0 0 0:0",
            ]
        );
    }
}

//! Building the measured programs, plainly and partitioned.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sampling::Samples;
use anyhow::{Context, bail};

/// How a program is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Without the tool: static, as the partitioned one is.
    Plain,
    /// A stand-in in the place of each WRPKRU.
    StandIn,
    /// As anybody builds it: keys, or else page tables.
    Default,
}

impl Form {
    fn folder(self) -> &'static str {
        match self {
            Form::Plain => "plain",
            Form::StandIn => "stand-in",
            Form::Default => "default",
        }
    }
}

/// Where programs are built: the tool, and a folder of its own for each.
pub struct Workshop {
    root: PathBuf,
    tool: PathBuf,
    output: PathBuf,
    /// What is measured is built in release; tests have no time for that.
    release: bool,
}

const TARGET: &str = "x86_64-unknown-linux-gnu";

impl Workshop {
    /// Builds the tool in release, beside this program.
    pub fn open() -> anyhow::Result<Workshop> {
        let own = env::current_exe()?;
        let target = own
            .ancestors()
            .nth(2)
            .context("this program is run by `cargo run`")?;
        let workshop = Workshop::below(target, true)?;
        workshop.build_tool()?;
        Ok(workshop)
    }

    /// Builds everything for debugging, beside the test that asks.
    #[cfg(test)]
    pub fn for_tests() -> anyhow::Result<Workshop> {
        let own = env::current_exe()?;
        let target = own.ancestors().nth(3).context("cargo runs this test")?;
        Workshop::below(target, false)
    }

    fn below(target: &Path, release: bool) -> anyhow::Result<Workshop> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .canonicalize()?;
        let (profile, output) = if release {
            ("release", "benchmarks")
        } else {
            ("debug", "benchmarks-tests")
        };
        Ok(Workshop {
            root,
            tool: target.join(profile).join("cargo-cubicle"),
            output: target.join(output),
            release,
        })
    }

    /// What `cubicle` and `run_with_keys` use.
    pub fn build_tool(&self) -> anyhow::Result<()> {
        let target = self.tool.ancestors().nth(2).context("the tool's folder")?;
        let mut command = cargo();
        command
            .current_dir(&self.root)
            .args(["build", "--quiet", "-p", "cargo-cubicle"])
            .args(self.release.then_some("--release"))
            .arg("--target-dir")
            .arg(target);
        run(&mut command)?;
        Ok(())
    }

    /// Where cargo leaves a program.
    pub fn built(&self, target: &Path, binary: &str) -> PathBuf {
        let profile = if self.release { "release" } else { "debug" };
        target.join(TARGET).join(profile).join(binary)
    }

    /// A folder in the repository.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Builds one of `benches/programs` afresh and returns the executable.
    /// `manifest` names a manifest in its folder, if not Cubicle.toml.
    pub fn program(
        &self,
        name: &str,
        form: Form,
        manifest: Option<&str>,
    ) -> anyhow::Result<PathBuf> {
        let folder = self.path("benches/programs").join(name);
        let place = format!("{name}-{}", manifest.unwrap_or("Cubicle.toml"));
        let output = self.fresh(&format!("{place}-{}", form.folder()))?;
        let is_c = folder.join("c").is_dir();
        if form == Form::Plain && is_c {
            return self.plain_c(&folder, &output.join(name));
        }
        let binary = package_name(&folder)?;
        match form {
            Form::Plain => self.plain_rust(&folder, &output)?,
            _ => {
                let flags = manifest.map(|manifest| ["--cubicle-manifest", manifest]);
                let flags = flags.iter().flatten().copied();
                run(self.cubicle(&folder, &output, form).args(flags))?;
            }
        }
        Ok(self.built(&output, &binary))
    }

    /// `cargo cubicle build --release`, to be completed.
    pub fn cubicle(&self, folder: &Path, output: &Path, form: Form) -> Command {
        let mut command = Command::new(&self.tool);
        command
            .current_dir(folder)
            .args(["cubicle", "build", "--quiet", "--locked"])
            .args(self.release.then_some("--release"))
            .arg("--target-dir")
            .arg(output);
        if form == Form::StandIn {
            // The one place that knows how such a build is asked for.
            command.arg("--benchmark-stand-in");
        }
        command
    }

    /// `cargo cubicle lint`, of what is linted in any profile.
    pub fn lint(&self, folder: &Path, output: &Path) -> Command {
        let mut command = Command::new(&self.tool);
        command
            .current_dir(folder)
            .args(["cubicle", "lint", "--quiet", "--target-dir"])
            .arg(output);
        command
    }

    /// `cargo cubicle report`, to be completed.
    pub fn report(&self, folder: &Path, output: &Path) -> Command {
        let mut command = Command::new(&self.tool);
        command
            .current_dir(folder)
            .args([
                "cubicle", "report", "--format", "json", "--quiet", "--locked",
            ])
            .args(self.release.then_some("--release"))
            .arg("--target-dir")
            .arg(output);
        command
    }

    /// What a program prints, run with these arguments where it has protection keys:
    /// in the emulated machine, if this one has none. Counts, never times.
    pub fn emulated(&self, name: &str, arguments: &[&str]) -> anyhow::Result<Samples> {
        let folder = self.path("benches/programs").join(name);
        let target = self.fresh(&format!("{name}-emulated"))?;
        let mut command = self.run_with_keys(&folder, &target);
        let mut samples = Samples::default();
        samples.read(&run(command.arg("--").args(arguments))?)?;
        Ok(samples)
    }

    /// `cargo cubicle run --vm`, to be completed.
    pub fn run_with_keys(&self, folder: &Path, target: &Path) -> Command {
        let mut command = Command::new(&self.tool);
        command
            .current_dir(folder)
            .args(["cubicle", "run", "--quiet", "--locked", "--vm"])
            .args(self.release.then_some("--release"))
            .arg("--target-dir")
            .arg(target);
        command
    }

    /// `cargo build --release` of the same program: static and at a fixed
    /// address, too.
    pub fn plain_rust(&self, folder: &Path, output: &Path) -> anyhow::Result<()> {
        run(&mut self.plain_cargo(folder, output))?;
        Ok(())
    }

    /// The same, to be completed.
    pub fn plain_cargo(&self, folder: &Path, output: &Path) -> Command {
        let mut command = cargo();
        command
            .current_dir(folder)
            .args(["build", "--quiet", "--locked", "--target", TARGET])
            .args(self.release.then_some("--release"))
            .arg("--target-dir")
            .arg(output)
            .env(
                "RUSTFLAGS",
                "-Ctarget-feature=+crt-static -Crelocation-model=static",
            );
        command
    }

    /// With the options that `c = { files = … }` uses in release.
    fn plain_c(&self, folder: &Path, output: &Path) -> anyhow::Result<PathBuf> {
        let mut sources: Vec<PathBuf> = fs::read_dir(folder.join("c"))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
            .collect();
        sources.sort();
        let mut command = Command::new("cc");
        command
            .args(["-O3", "-g", "-ffunction-sections", "-fdata-sections"])
            .args(["-static", "-no-pie", "-fno-pic", "-Wl,--gc-sections"])
            // Where `cubicle.h` is, which does nothing there.
            .arg("-I")
            .arg(self.path("runtime/api"))
            .args(sources)
            .arg("-o")
            .arg(output);
        run(&mut command)?;
        Ok(output.to_owned())
    }

    /// A folder of this name for the output of a build.
    pub fn output(&self, name: &str) -> PathBuf {
        self.output.join(name)
    }

    /// An empty folder of this name for the output of a build. Building afresh
    /// is the only way to be sure that this tool built it.
    pub fn fresh(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.output(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(folder)
    }
}

/// The name in a package's manifest, which is the binary's.
fn package_name(folder: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(folder.join("Cargo.toml"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .map(str::to_owned)
        .with_context(|| format!("{} has no package name", folder.display()))
}

/// cargo, without what the cargo that runs this program tells its children.
fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.env_remove("RUSTFLAGS");
    command
}

/// Runs a command that must succeed and returns what it printed.
pub fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!(
            "{command:?} failed ({}):\n{}{printed}",
            output.status,
            String::from_utf8_lossy(&output.stderr),
        );
    }
    Ok(printed)
}

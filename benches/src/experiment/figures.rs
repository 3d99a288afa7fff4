//! What was measured: kept as text beside the document and the plot that are made of it.

use std::collections::BTreeMap;
use std::fmt;

#[cfg(test)]
use anyhow::Context;

use super::queries::Group;
use crate::sampling::median;

/// What ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// SQLite's own VFS for Unix, the database in a tmpfs.
    Linux,
    /// The library OS, linked with SQLite into one image.
    OneImage,
    /// The same in so many cubicles.
    Cubicles(u32),
    /// The same as so many processes that send each other messages.
    Processes(u32),
}

pub const PARTS: [u32; 3] = [3, 4, 7];

impl Subject {
    pub fn all() -> Vec<Subject> {
        let mut all = vec![Subject::Linux, Subject::OneImage];
        all.extend(PARTS.map(Subject::Cubicles));
        all.extend(PARTS.map(Subject::Processes));
        all
    }

    #[cfg(test)]
    fn read(name: &str) -> anyhow::Result<Subject> {
        let mut all = Subject::all().into_iter();
        all.find(|subject| subject.to_string() == name)
            .context("nothing of this name is measured")
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Linux => f.write_str("Linux"),
            Subject::OneImage => f.write_str("one image"),
            Subject::Cubicles(parts) => write!(f, "{parts} cubicles"),
            Subject::Processes(parts) => write!(f, "{parts} processes"),
        }
    }
}

/// One query: its title, and the median of its microseconds for each subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    pub title: String,
    pub times: BTreeMap<Subject, f64>,
}

/// Everything that one run of the experiment found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// On what, with what: keys and values.
    pub about: BTreeMap<String, String>,
    pub queries: BTreeMap<u32, Query>,
    /// How often one part called another in a run, with seven parts.
    pub calls: BTreeMap<(String, String), u64>,
    /// System calls of the first process in a run.
    pub system_calls: BTreeMap<Subject, u64>,
    /// What windows cost in a run with keys and seven parts.
    pub faults: Faults,
}

/// Page faults by which pages of windows change hands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// In a run.
    pub number: u64,
    /// What one takes on the machine of the other figures, ns.
    pub price: f64,
}

/// What every round took, µs: by query, which has a title, and by what ran.
pub type Times = BTreeMap<u32, (String, BTreeMap<Subject, Vec<f64>>)>;

impl Figures {
    /// Takes in the medians of all rounds.
    pub fn take(&mut self, times: Times) {
        for (number, (title, subjects)) in times {
            let times = subjects.iter();
            let times = times.map(|(subject, times)| (*subject, median(times)));
            let times = times.collect();
            self.queries.insert(number, Query { title, times });
        }
    }

    /// How many times longer `subject` takes than `base`: for each query of the group, or of all.
    pub fn ratios(
        &self,
        subject: Subject,
        base: Subject,
        group: Option<Group>,
    ) -> BTreeMap<u32, f64> {
        let wanted = |query: u32| group.is_none_or(|group| Group::of(query) == group);
        self.queries
            .iter()
            .filter(|(number, _)| wanted(**number))
            .filter_map(|(number, query)| {
                let ratio = query.times.get(&subject)? / query.times.get(&base)?;
                Some((*number, ratio))
            })
            .collect()
    }

    /// The mean of those ratios, as the paper forms it.
    pub fn mean(&self, subject: Subject, base: Subject, group: Option<Group>) -> f64 {
        let ratios = self.ratios(subject, base, group);
        ratios.values().sum::<f64>() / ratios.len() as f64
    }

    /// The query for which the ratio is largest.
    pub fn worst(&self, subject: Subject, base: Subject) -> Option<(u32, f64)> {
        let ratios = self.ratios(subject, base, None);
        ratios.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Seconds of all queries together.
    pub fn total(&self, subject: Subject) -> f64 {
        let times = self.queries.values();
        times
            .filter_map(|query| query.times.get(&subject))
            .sum::<f64>()
            / 1e6
    }

    /// Lines of words, separated by tabs.
    pub fn write(&self) -> String {
        let mut text = String::new();
        for (key, value) in &self.about {
            text += &format!("about\t{key}\t{value}\n");
        }
        for (number, query) in &self.queries {
            text += &format!("query\t{number}\t{}\n", query.title);
            for (subject, time) in &query.times {
                text += &format!("microseconds\t{number}\t{subject}\t{time:.0}\n");
            }
        }
        for ((caller, callee), number) in &self.calls {
            text += &format!("calls\t{caller}\t{callee}\t{number}\n");
        }
        for (subject, number) in &self.system_calls {
            text += &format!("system calls\t{subject}\t{number}\n");
        }
        let Faults { number, price } = self.faults;
        text += &format!("faults\t{number}\t{price:.0}\n");
        text
    }

    /// Reads what `write` wrote: what is kept is only looked at again by tests.
    #[cfg(test)]
    pub fn read(text: &str) -> anyhow::Result<Figures> {
        let mut figures = Figures::default();
        for line in text.lines() {
            figures
                .read_line(line)
                .with_context(|| format!("`{line}` is no figure"))?;
        }
        Ok(figures)
    }

    #[cfg(test)]
    fn read_line(&mut self, line: &str) -> anyhow::Result<()> {
        let words: Vec<&str> = line.split('\t').collect();
        match words[..] {
            ["about", key, value] => {
                self.about.insert(key.to_owned(), value.to_owned());
            }
            ["query", number, title] => {
                self.queries.entry(number.parse()?).or_default().title = title.to_owned();
            }
            ["microseconds", number, name, time] => {
                let query = self.queries.entry(number.parse()?).or_default();
                query.times.insert(Subject::read(name)?, time.parse()?);
            }
            ["system calls", name, number] => {
                self.system_calls
                    .insert(Subject::read(name)?, number.parse()?);
            }
            ["faults", number, price] => {
                self.faults = Faults {
                    number: number.parse()?,
                    price: price.parse()?,
                };
            }
            ["calls", caller, callee, number] => {
                let edge = (caller.to_owned(), callee.to_owned());
                self.calls.insert(edge, number.parse()?);
            }
            _ => anyhow::bail!("no such line"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_queries() -> Figures {
        let query = |title: &str, linux, image, cubicles| Query {
            title: title.to_owned(),
            times: BTreeMap::from([
                (Subject::Linux, linux),
                (Subject::OneImage, image),
                (Subject::Cubicles(7), cubicles),
            ]),
        };
        Figures {
            about: BTreeMap::from([("size".to_owned(), "100".to_owned())]),
            queries: BTreeMap::from([
                (100, query("inserts", 100.0, 200.0, 300.0)),
                (410, query("selects", 1000.0, 500.0, 1500.0)),
            ]),
            calls: BTreeMap::from([(("app".to_owned(), "vfscore".to_owned()), 12)]),
            system_calls: BTreeMap::from([(Subject::Linux, 7)]),
            faults: Faults {
                number: 500,
                price: 3000.0,
            },
        }
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let figures = two_queries();
        assert_eq!(Figures::read(&figures.write()).unwrap(), figures);
        assert!(Figures::read("microseconds\t100\t5 cubicles\t1\n").is_err());
    }

    #[test]
    fn a_mean_is_of_ratios_and_of_one_group() {
        let figures = two_queries();
        let (cubicles, image) = (Subject::Cubicles(7), Subject::OneImage);
        assert_eq!(figures.mean(cubicles, image, None), 2.25);
        assert_eq!(figures.mean(cubicles, image, Some(Group::A)), 1.5);
        assert_eq!(figures.mean(cubicles, image, Some(Group::B)), 3.0);
        assert_eq!(figures.worst(cubicles, image), Some((410, 3.0)));
        assert!((figures.total(cubicles) - 0.0018).abs() < 1e-12);
    }
}

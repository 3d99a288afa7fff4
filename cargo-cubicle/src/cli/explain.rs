//! `cargo cubicle explain`: the page of a rule, or what the partition does with a symbol.

use std::io::Write;

use camino::Utf8Path;

use super::arguments::ExplainOptions;
use super::foreground::Ending;
use super::{UsageError, graph, lint};
use crate::diagnostics::{Code, here, shown};
use crate::measure::prices::Prices;
use crate::picture::{Crossing, Kind, Picture};
use crate::similar::similar;

/// Runs the command.
pub fn run(mut options: ExplainOptions) -> anyhow::Result<Ending> {
    let asked = options.what.clone();
    if let Some(code) = Code::from_code(&asked).or_else(|| Code::from_name(&asked)) {
        std::io::stdout().write_all(code.page().as_bytes())?;
        return Ok(Ending::Status(0));
    }
    let judged = match lint::judge(&mut options.common)? {
        Ok(judged) => judged,
        Err(ending) => return Ok(ending),
    };
    let picture = graph::one(&judged.reports)?;
    let (cubicle, symbol) = match asked.split_once("::") {
        Some((cubicle, symbol)) if picture.cubicles.iter().any(|one| one.name == cubicle) => {
            (Some(cubicle), symbol)
        }
        _ => (None, asked.as_str()),
    };
    let crossings: Vec<&Crossing> = picture
        .references
        .iter()
        .filter(|one| one.symbol == symbol && cubicle.is_none_or(|cubicle| one.to == cubicle))
        .collect();
    if crossings.is_empty() {
        let names = picture.references.iter().map(|one| one.symbol.as_str());
        let help = match similar(symbol, names) {
            Some(near) => format!("there is one called `{near}`"),
            None => "`cargo cubicle graph --format json` lists all of them".to_owned(),
        };
        return Err(UsageError(format!(
            "`{asked}` is no rule, and no symbol that is referred to across a border\n  = help: {help}"
        ))
        .into());
    }
    std::io::stdout().write_all(text(picture, &crossings).as_bytes())?;
    Ok(Ending::Status(0))
}

fn text(picture: &Picture, crossings: &[&Crossing]) -> String {
    let mut text = String::new();
    let mut owner = "";
    let here = here();
    let prices = Prices::known();
    for one in crossings {
        if one.to != owner {
            owner = &one.to;
            let cubicle = picture
                .cubicles
                .iter()
                .find(|cubicle| cubicle.name == owner);
            let claims = cubicle.map_or(String::new(), |cubicle| cubicle.claims.join(", "));
            text += &format!(
                "`{}` is in cubicle `{owner}`, which claims: {claims}\n",
                one.symbol
            );
            if let Some(line) = &one.defined {
                let file = shown(Utf8Path::new(&line.file), &here);
                text += &format!("  its source begins at {file}:{}\n", line.line);
            }
        }
        let places = match one.places {
            1 => "1 place".to_owned(),
            number => format!("{number} places"),
        };
        text += &format!("\n`{}` refers to it at {places}\n", one.from);
        text += &format!("  {}\n", one.kind.explain());
        if !matches!(one.kind, Kind::Forbidden | Kind::Window) {
            text += &format!("  {}\n", cost(one, prices.as_ref()));
        }
        if !one.shape.is_empty() {
            text += &format!("  it takes: {}\n", one.shape);
        }
        for lend in &one.lends {
            text += &format!("  {lend}\n");
        }
        for line in &one.lines {
            let file = shown(Utf8Path::new(&line.file), &here);
            text += &format!("  {file}:{} in `{}`\n", line.line, line.function);
        }
    }
    text
}

/// What a call takes, if that was measured on this machine.
fn cost(one: &Crossing, prices: Option<&Prices>) -> String {
    let Some(prices) = prices else {
        return "what a call takes on this machine, `cargo cubicle report` measures".to_owned();
    };
    let by = match prices.stand_in {
        true => "stand-in: no protection keys here",
        false => "pku",
    };
    format!(
        "a call takes {:.0} ns more than a plain one on this machine ({by})",
        prices.call(one.kind, one.switches_fs)
    )
}

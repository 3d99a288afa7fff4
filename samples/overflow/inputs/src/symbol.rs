//! Where a variable of a program is, from the program's symbol table.

use std::path::Path;

use object::{Object, ObjectKind, ObjectSymbol};

/// The address of the variable `name` in a program that is loaded at a fixed address.
///
/// In a partitioned program the symbol is called `CUBICLE::name`; both are found.
///
/// # Errors
/// A sentence, if the file cannot be read, moves about in memory, or does not
/// have exactly one such symbol.
pub fn address(program: &Path, name: &str) -> Result<u64, String> {
    let shown = program.display();
    let bytes = std::fs::read(program).map_err(|error| format!("{shown}: {error}"))?;
    let file = object::File::parse(&*bytes).map_err(|error| format!("{shown}: {error}"))?;
    if file.kind() != ObjectKind::Executable {
        return Err(format!("{shown} is not linked at a fixed address"));
    }
    let found: Vec<u64> = file
        .symbols()
        .filter(|symbol| symbol.is_definition())
        .filter(|symbol| symbol.name().is_ok_and(|found| is_called(found, name)))
        .map(|symbol| symbol.address())
        .collect();
    match found[..] {
        [address] => Ok(address),
        [] => Err(format!("{shown} has no symbol {name}: is it stripped?")),
        _ => Err(format!("{shown} has {} symbols {name}", found.len())),
    }
}

fn is_called(symbol: &str, name: &str) -> bool {
    symbol == name
        || symbol
            .strip_suffix(name)
            .is_some_and(|before| before.ends_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cubicle_in_front_does_not_matter() {
        assert!(is_called("BALANCE", "BALANCE"));
        assert!(is_called("app::BALANCE", "BALANCE"));
        assert!(!is_called("OLD_BALANCE", "BALANCE"));
        assert!(!is_called("app::BALANCE_OLD", "BALANCE"));
    }
}

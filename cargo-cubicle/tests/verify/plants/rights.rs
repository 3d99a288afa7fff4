//! Keys and PKRU values.

use super::*;

pub fn rights(plants: &mut Vec<Plant<'_>>) {
    let rule = Rule::Rights;
    let pkru = |file: &mut Edited, cubicle: usize, change: &dyn Fn(Rights) -> Rights| {
        let at = file.element::<Cubicle>(CUBICLES, cubicle) + offset_of!(Cubicle, rights);
        file.plan_u32(at, |rights| change(Rights(rights)).0);
    };
    add(
        plants,
        rule,
        "`app` has the same, and so they are one",
        move |file| {
            let at = file.element::<Cubicle>(CUBICLES, APP) + offset_of!(Cubicle, rights);
            let apps = file.u32(PLAN_BASE + at as u64);
            pkru(file, BOTH, &|_| Rights(apps));
        },
    );
    add(plants, rule, "it opens key 0, the monitor's", move |file| {
        pkru(file, BOTH, &|rights| rights.writing(0));
    });
    add(plants, rule, "it opens key 0, the monitor's", move |file| {
        pkru(file, LENDER, &|rights| rights.reading(0));
    });
    add(
        plants,
        rule,
        "it can write key 1, which all trust",
        move |file| {
            pkru(file, BOTH, &|rights| rights.writing(1));
        },
    );
    add(
        plants,
        rule,
        "it opens key 15, which is nobody's",
        move |file| {
            pkru(file, BOTH, &|rights| rights.writing(15));
        },
    );
    add(
        plants,
        rule,
        "it cannot write its own memory",
        move |file| {
            pkru(file, BOTH, &|rights| {
                Rights(rights.0 | 1 << (2 * (2 + BOTH)))
            });
        },
    );
    add(
        plants,
        rule,
        "it closes writing where it closes access",
        move |file| {
            pkru(file, BOTH, &|rights| Rights(rights.0 | 2));
        },
    );
    add(
        plants,
        rule,
        "it owns `window board` and cannot write it",
        move |file| {
            // Eight cubicles, so the window has key 10.
            pkru(file, APP, &|rights| Rights(rights.0 | 1 << 20));
        },
    );
    add(
        plants,
        rule,
        "it has key 7; by its number it is 4",
        |file| {
            let at = file.element::<Cubicle>(CUBICLES, BOTH) + offset_of!(Cubicle, key);
            file.plan_u32(at, |_| 7);
        },
    );
    add(
        plants,
        rule,
        "it has key 2; by its number it is 10",
        |file| {
            let at = file.element::<KeyedWindow>(WINDOWS, 0) + offset_of!(KeyedWindow, key);
            file.plan_u32(at, |_| 2);
        },
    );
}

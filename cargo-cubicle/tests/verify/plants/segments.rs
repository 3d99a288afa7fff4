//! What the kernel loads.

use super::*;

pub fn segments<'a>(good: &'a Good, plants: &mut Vec<Plant<'a>>) {
    let rule = Rule::Segments;
    let text = segment(good, APP, false, true);
    let data = segment(good, APP, true, false);
    add(plants, rule, "it is writable and executable", move |file| {
        file.header_u32((LOAD, text), FLAGS, |flags| flags | 2);
    });
    add(plants, rule, "it is writable and executable", move |file| {
        file.header_u32((LOAD, data), FLAGS, |flags| flags | 1);
    });
    add(plants, rule, "it asks for an executable stack", |file| {
        file.header_u32((STACK, 0), FLAGS, |flags| flags | 1);
    });
    add(plants, rule, "a program header of kind 0x3", |file| {
        file.header_u32((STACK, 0), TYPE, |_| 3);
    });
    add(
        plants,
        rule,
        "it does not say once that its stack",
        |file| {
            file.header_u32((STACK, 0), TYPE, |_| 3);
        },
    );
    add(plants, rule, "the plan does not list it", move |file| {
        file.header_u64((LOAD, data), ADDRESS, |address| address + SLOT_SIZE);
    });
    add(
        plants,
        rule,
        "the plan lists a segment that is not loaded",
        move |file| {
            file.header_u64((LOAD, data), ADDRESS, |address| address + SLOT_SIZE);
        },
    );
    add(plants, rule, "it is nobody's", move |file| {
        file.header_u64((LOAD, data), ADDRESS, |address| {
            0x0350_0000 + address % 4096
        });
    });
    add(
        plants,
        rule,
        "the file does not say what all of it is",
        move |file| {
            file.header_u64((LOAD, text), MEMORY_SIZE, |size| size + 8192);
        },
    );
    add(
        plants,
        rule,
        "it shares a page with the segment before it",
        move |file| {
            file.header_u64((LOAD, text), FILE_SIZE, |size| size + (1 << 20));
            file.header_u64((LOAD, text), MEMORY_SIZE, |size| size + (1 << 20));
        },
    );
    let planned = move |file: &Edited, wanted: u32| {
        let cubicle = file.element::<Cubicle>(CUBICLES, APP);
        let list = file.slice(cubicle + offset_of!(Cubicle, segments));
        (0..list.count as usize)
            .map(|number| list.offset as usize + number * size_of::<Segment>())
            .find(|at| {
                file.u32(PLAN_BASE + (at + offset_of!(Segment, protection)) as u64) & 6 == wanted
            })
            .expect("such a segment")
    };
    add(
        plants,
        rule,
        "the plan lists it with another protection",
        move |file| {
            let at = planned(file, 2);
            file.plan_u32(at + offset_of!(Segment, protection), |protection| {
                protection | 4
            });
        },
    );
    add(
        plants,
        rule,
        "it is to have key 3, and the plan gives it 1",
        move |file| {
            let at = planned(file, 2);
            file.plan_u32(at + offset_of!(Segment, key), |_| 1);
        },
    );
    add(
        plants,
        rule,
        "it is to have key 1, and the plan gives it 4",
        move |file| {
            let at = planned(file, 4);
            file.plan_u32(at + offset_of!(Segment, key), |_| 4);
        },
    );
    add(plants, rule, "its entry is not code of `app`", |file| {
        let at = file.element::<Cubicle>(CUBICLES, APP) + offset_of!(Cubicle, entry);
        file.plan_u64(at, |entry| entry + SLOT_SIZE);
    });
    add(plants, rule, "its `exit` is not code of `both`", |file| {
        let at = file.element::<Cubicle>(CUBICLES, BOTH) + offset_of!(Cubicle, exit);
        file.plan_u64(at, |exit| exit - SLOT_SIZE);
    });
    add(
        plants,
        rule,
        "the program headers of `app` are not in it",
        |file| {
            let at = file.element::<Cubicle>(CUBICLES, APP) + offset_of!(Cubicle, program_headers);
            file.plan_u64(at, |address| address + SLOT_SIZE);
        },
    );
}

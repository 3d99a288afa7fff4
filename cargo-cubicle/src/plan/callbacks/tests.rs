//! From a manifest and C declarations to the gates of callbacks.

use super::*;
use crate::diagnostics::{Code, Level};
use crate::gates::GateKind;
use crate::graph::declaration;
use crate::graph::signature::{Aggregate, Member, Signature, Type, TypeKind};
use crate::manifest;
use crate::plan::cubicles;
use cubicle_abi::plan::{LEND_CALLBACK, LEND_IN};

const PROGRAM: &str = "
    schema = 1
    [cubicle.app]
    main = true
    [cubicle.lib]
    libs = [\"lib\"]
    callers = [\"app\"]
    [cubicle.other]
    libs = [\"other\"]
    ";

/// The numbers of the cubicles, which are ordered by name.
const APP: usize = 0;
const LIB: usize = 1;
const OTHER: usize = 2;

struct Planned {
    gates: Vec<Gate>,
    findings: Findings,
}

/// Plans calls of `declarations`, functions of lib, by `callers` in turn. What
/// the manifest says about them is `rules`; `program` is the rest of it.
fn plan_in(program: &str, rules: &str, callers: &[usize], declarations: &[&str]) -> Planned {
    let parse = |text: &&str| declaration::parse(text).expect("a declaration");
    let signatures: Vec<Signature> = declarations.iter().map(parse).collect();
    plan_calls(program, rules, callers, &signatures)
}

fn plan_calls(program: &str, rules: &str, callers: &[usize], functions: &[Signature]) -> Planned {
    let text = format!("{program}{rules}");
    let policy = manifest::parse("Cubicle.toml".into(), &text)
        .unwrap_or_else(|rejected| panic!("{}", rejected.render(false)));
    let mut findings = Findings::new();
    let cubicles = cubicles::resolve(&policy, &mut findings);
    let mut callbacks = Callbacks::behind(callers.len() * functions.len());
    let mut gates = Vec::new();
    for from in callers {
        for signature in functions {
            let function = policy.cubicles["lib"].functions.get(&signature.name);
            let call = Call {
                policy: &policy,
                cubicles: &cubicles,
                from: *from,
                to: LIB,
                name: &signature.name,
                interface: "lib",
                rules: function.map(Rules::from),
                described: None,
                signature,
                fault: None,
                fast: false,
                is_callback: false,
                audit: false,
                number_of: &|_| None,
            };
            let decided = call.decide(&mut Vec::new, &mut findings);
            let mut scene = Scene {
                audit: false,
                policy: &policy,
                cubicles: &cubicles,
                interface: "lib",
                references: &mut Vec::new,
                findings: &mut findings,
            };
            gates.extend(decided.and_then(|decided| callbacks.complete(decided, &mut scene)));
        }
    }
    gates.extend(callbacks.into_gates().flatten());
    Planned { gates, findings }
}

fn plan(rules: &str, declarations: &[&str]) -> Planned {
    plan_in(PROGRAM, rules, &[APP], declarations)
}

impl Planned {
    /// Nothing stands in the way.
    fn good(self) -> Vec<Gate> {
        let denied = self.findings.iter().find(|one| one.level == Level::Deny);
        assert!(denied.is_none(), "{denied:?}");
        self.gates
    }

    fn codes(&self) -> Vec<Code> {
        self.findings.iter().filter_map(|one| one.code).collect()
    }
}

fn ends(gate: &Gate) -> (&str, usize, usize) {
    (&gate.symbol, gate.from, gate.to)
}

/// The gates that the callbacks of a gate lead to.
fn crossing(gate: &Gate) -> Vec<u64> {
    let lends = gate.lends.iter();
    lends
        .filter(|lend| lend.flags & LEND_CALLBACK != 0)
        .map(|lend| lend.value)
        .collect()
}

#[test]
fn who_gets_the_pointer_calls_back() {
    let gates = plan(
        "[cubicle.lib.function.f]
         arg.call = { callback = true }
         result = { callback = true }",
        &["double (*f(int (*call)(int)))(double);", "int g(int);"],
    )
    .good();
    assert_eq!(gates.len(), 4);
    assert_eq!(ends(&gates[2]), ("f.call", LIB, APP));
    assert_eq!(ends(&gates[3]), ("f.result", APP, LIB));
    assert_eq!(crossing(&gates[0]), [2, 3]);
    let numbers: Vec<_> = gates.iter().map(|gate| gate.callback).collect();
    assert_eq!(numbers, [None, None, Some(0), Some(1)]);
    assert_eq!(gates[0].kind, GateKind::Lending);
    assert_eq!(gates[2].kind, GateKind::Union);
    assert_eq!(gates[3].shape.vectors, 1);
}

#[test]
fn a_callback_may_be_passed_another_one() {
    let gates = plan(
        "[cubicle.lib.function.f]
         arg.call = { callback = true, arg.\"#1\" = { callback = true } }",
        &["int f(int (*call)(double (*)(double)));"],
    )
    .good();
    // The inner one needs its number first.
    assert_eq!(ends(&gates[1]), ("f.call.#1", APP, LIB));
    assert_eq!(ends(&gates[2]), ("f.call", LIB, APP));
    assert_eq!(crossing(&gates[0]), [2]);
    assert_eq!(crossing(&gates[2]), [1]);
    assert_eq!(gates[2].lends[0].flags, LEND_CALLBACK | LEND_IN);
}

#[test]
fn callbacks_that_are_called_alike_share_a_gate() {
    let rules = "
        [cubicle.lib.function.add]
        arg.call = { callback = true }
        [cubicle.lib.function.remove]
        arg.call = { callback = true }
        [cubicle.lib.function.lent]
        arg.call = { callback = true, arg.\"#1\" = { lend = \"in\", bytes = 4 } }
        ";
    let declarations = [
        "void add(int (*call)(void *));",
        "void remove(int (*call)(const char *));",
        "void lent(int (*call)(void *));",
    ];
    let gates = plan_in(PROGRAM, rules, &[APP, OTHER], &declarations).good();
    let callbacks: Vec<_> = gates[6..].iter().map(ends).collect();
    assert_eq!(
        callbacks,
        [
            ("add.call", LIB, APP),
            ("lent.call", LIB, APP),
            ("add.call", LIB, OTHER),
            ("lent.call", LIB, OTHER),
        ]
    );
    let crossed: Vec<_> = gates[..6].iter().flat_map(crossing).collect();
    assert_eq!(crossed, [6, 6, 7, 8, 8, 9]);
}

#[test]
fn kinds_follow_who_sees_whom() {
    let rules = "
        [cubicle.lib.function.f]
        arg.call = { callback = true }
        [cubicle.lib.function.wide]
        arg.call = { callback = true }
        ";
    let declarations = [
        "int f(int (*call)(int));",
        "int wide(int (*call)(long, long, long, long, long, long, long, long, long, long, long, long));",
    ];
    let kinds = |program: &str| -> Vec<GateKind> {
        let gates = plan_in(program, rules, &[APP], &declarations).good();
        gates[2..].iter().map(|gate| gate.kind).collect()
    };
    assert_eq!(kinds(PROGRAM), [GateKind::Union, GateKind::Lending]);
    let with = |name: &str, line: &str| {
        let table = format!("[cubicle.{name}]\n");
        PROGRAM.replace(&table, &format!("{table}{line}\n"))
    };
    assert_eq!(
        kinds(&with("app", "sees = { lib = \"rw\" }")),
        [GateKind::CalleeSees, GateKind::Lending]
    );
    assert_eq!(
        kinds(&with("lib", "sees = { app = \"rw\" }")),
        [GateKind::CallerSees, GateKind::Lending]
    );
    // A callee without authority calls back into one that may have some.
    assert_eq!(
        kinds(&with("lib", "gate = \"fast\"")),
        [GateKind::Union, GateKind::Lending]
    );
}

#[test]
fn a_function_that_nothing_describes_is_refused() {
    let declaration = ["int (*f(int (*call)(int), int (*other)(int)))(int);"];
    let planned = plan("", &declaration);
    assert_eq!(planned.codes(), [Code::CUB005]);
    let text = format!("{:?}", planned.findings);
    for part in [
        "`call`, `other`, `result` of `f`",
        "`arg.call = { callback = true }`",
        "`result = { callback = true }`",
        "[cubicle.lib.function.f]",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let handles = "[cubicle.lib.function.f]
         arg.call = { lend = \"handle\" }
         arg.other = { lend = \"handle\" }
         result = { lend = \"handle\" }";
    assert_eq!(plan(handles, &declaration).codes(), []);
}

/// The callee would run it with its own rights, whatever it sees.
#[test]
fn sight_does_not_describe_a_function() {
    let sees = PROGRAM.replace("[cubicle.lib]", "[cubicle.lib]\nsees = { app = \"rw\" }");
    let planned = plan_in(&sees, "", &[APP], &["int f(int (*call)(int), void *data);"]);
    assert_eq!(planned.codes(), [Code::CUB005]);
}

#[test]
fn what_a_callback_is_called_with_is_described_inside_it() {
    let planned = plan(
        "[cubicle.lib.function.f]
         arg.call = { callback = true }",
        &["int f(int (*call)(char *, int (*)(int)));"],
    );
    assert_eq!(planned.codes(), [Code::CUB004, Code::CUB005]);
    let text = format!("{:?}", planned.findings);
    for part in ["in the table of `call`", "#2"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Paths do not lead into what is passed by value.
#[test]
fn a_function_in_a_struct_by_value_cannot_be_described() {
    let mut signature = declaration::parse("int f(int (*call)(int), void *data);").unwrap();
    let call = signature.parameters[0].type_.clone();
    let member = |offset| Member {
        name: Some("call".into()),
        offset,
        type_: call.clone(),
        bits: None,
    };
    let table = |size: u64| {
        Type::named(
            "table",
            TypeKind::Aggregate(Aggregate {
                is_union: false,
                size,
                alignment: 8,
                members: (0..size).step_by(8).map(member).collect(),
                by_reference: false,
            }),
        )
    };
    signature.parameters[0].type_ = table(8);
    // In registers, and in memory.
    for size in [16, 24] {
        signature.result = Some(table(size));
        let plan = |rules| plan_calls(PROGRAM, rules, &[APP], std::slice::from_ref(&signature));
        let planned = plan("");
        let codes = [Code::CUB004, Code::CUB005, Code::CUB005];
        assert_eq!(planned.codes(), codes);
        let text = format!("{:?}", planned.findings);
        for part in [
            "`call` of `f`",
            "pass a pointer",
            "`f` (cubicle `lib`) returns",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let handles = "[cubicle.lib.function.f]
         arg.call = { lend = \"handle\" }
         arg.data = { lend = \"handle\" }";
        assert_eq!(plan(handles).codes(), [Code::CUB005]);
    }
}

#[test]
fn the_line_to_write_is_the_right_one() {
    let declaration = ["void f(int (**out)(int));"];
    let lent = "[cubicle.lib.function.f]
         arg.out = { lend = \"out\", count = 1 }";
    let planned = plan(lent, &declaration);
    assert_eq!(planned.codes(), [Code::CUB005]);
    let line = "arg.\"out[]\" = { callback = true }";
    let help = planned.findings.iter().flat_map(|finding| &finding.helps);
    assert!(help.into_iter().any(|help| help.contains(line)));
    assert_eq!(plan(&format!("{lent}\n{line}"), &declaration).codes(), []);
}

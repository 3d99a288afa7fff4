//! Addresses of which nobody says anything.

use super::*;

#[test]
fn addresses_that_nobody_describes() {
    let signature = compiled(
        "struct in { struct { char *p[2]; } a; }; struct plain { int x; };\n\
         int f(char *s, void (*g)(int), struct in i, struct plain p, int n, char *t)\n\
         { return n; }\n",
    );
    let policy = policy(r#"arg.t = { lend = "in", bytes = "n" }"#);
    let about = policy.cubicles["lib"].functions.get("f");
    let unlent = unlent_pointers(&signature, about.map(Rules::from));
    let shown: Vec<_> = unlent
        .iter()
        .map(|one| (one.index, one.label.as_str(), one.kind))
        .collect();
    assert_eq!(
        shown,
        [
            (0, "s", UnlentKind::Data),
            (1, "g", UnlentKind::Function),
            (2, "i", UnlentKind::Inside),
        ]
    );
}

#[test]
fn functions_in_lent_memory_and_in_the_result() {
    let source = "struct hooks { void *(*get)(void *, int); void (*put)(void *); void *own; };\n\
                  typedef void (*done)(int);\n\
                  done f(struct hooks *h, int n) { return 0; }\n";
    let of = |lines: &str| good(&compiled(source), lines).functions;
    assert_eq!(
        of(r#"arg.h = { lend = "in" }"#),
        ["h.get", "h.put", "result"]
    );
    assert_eq!(
        of(r#"
            arg.h = { lend = "in" }
            arg."h.get" = { callback = true }
            arg."h.put" = { value = 0 }
            result = { lend = "handle" }
        "#),
        [""; 0]
    );
    assert_eq!(
        of(r#"arg.h = { lend = "in", count = "n" }"#),
        ["h[].get", "h[].put", "result"]
    );
    // Through a handle nobody looks.
    assert_eq!(of(r#"arg.h = { lend = "handle" }"#), ["result"]);
}

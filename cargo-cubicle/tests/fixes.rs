//! What `lint --fix` makes of manifests in `tests/fixes`. The first line of each says what is done to what
//! stands between « and »; beside it is what comes out. `UPDATE_EXPECT=1` writes that.

use std::fs;

use camino::Utf8Path;
use cargo_cubicle::diagnostics::Fix;
use cargo_cubicle::lint::fix::apply;

#[test]
fn formatting_and_comments_stay() {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixes");
    let update = std::env::var("UPDATE_EXPECT").is_ok_and(|value| value == "1");
    let mut tried = 0;
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        if path.extension() != Some("toml") {
            continue;
        }
        let marked = fs::read_to_string(&path).unwrap();
        let (before, rest) = marked.split_once('«').expect("something is marked");
        let (inside, after) = rest.split_once('»').expect("something is marked");
        let words = marked.lines().next().unwrap();
        let fix = match words.split(' ').collect::<Vec<_>>().as_slice() {
            ["#", "remove"] => Fix::Remove,
            ["#", "rename", name] => Fix::Rename((*name).to_owned()),
            ["#", "move", cubicle] => Fix::Move((*cubicle).to_owned()),
            _ => panic!("{path} does not say what is done"),
        };
        let text = format!("{before}{inside}{after}");
        let span = before.len()..before.len() + inside.len();
        let (mended, done) = apply(&text, &[(span, fix)]);
        assert_eq!(done.is_empty(), mended == text, "{path}");
        let expected = path.with_extension("expected");
        if update {
            fs::write(&expected, &mended).unwrap();
        }
        let stands = fs::read_to_string(&expected).unwrap();
        assert!(mended == stands, "{path}:\n{mended}\ninstead of\n{stands}");
        tried += 1;
    }
    assert!(tried > 10);
}

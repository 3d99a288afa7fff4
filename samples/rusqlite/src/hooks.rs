//! What SQLite tells the program, and asks it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, Result};

/// How often SQLite may ask whether to go on.
const PATIENCE: u32 = 1000;

/// Sets every hook, makes SQLite call it, and takes it away again.
pub fn show(database: &mut Connection) -> Result<()> {
    changes(database)?;
    questions(database)?;
    Ok(())
}

fn changes(database: &mut Connection) -> Result<()> {
    let counts: [Arc<AtomicU32>; 3] = Default::default();
    let [updates, commits, rollbacks] = &counts;
    // Counts a call and says how many there were before.
    let count = |counter: &Arc<AtomicU32>| {
        let counter = Arc::clone(counter);
        move || counter.fetch_add(1, Ordering::Relaxed)
    };
    let (update, commit, rollback) = (count(updates), count(commits), count(rollbacks));
    database.update_hook(Some(move |action, database: &str, table: &str, row| {
        update();
        println!("{action:?} {database}.{table} {row}");
    }))?;
    // The second commit is refused, and becomes a rollback.
    database.commit_hook(Some(move || commit() == 1))?;
    database.rollback_hook(Some(move || {
        rollback();
    }))?;

    database.execute("UPDATE book SET pages = pages + 1 WHERE year < 1972", [])?;
    let refused = database.execute("DELETE FROM book", []);
    println!(
        "the second commit: {}",
        refused.expect_err("the hook refuses it")
    );
    let [updates, commits, rollbacks] = counts.map(|count| count.load(Ordering::Relaxed));
    println!("{updates} updates, {commits} commits, {rollbacks} rollbacks");

    database.update_hook(None::<fn(rusqlite::hooks::Action, &str, &str, i64)>)?;
    database.commit_hook(None::<fn() -> bool>)?;
    database.rollback_hook(None::<fn()>)?;
    Ok(())
}

fn questions(database: &mut Connection) -> Result<()> {
    database.authorizer(Some(|context: AuthContext<'_>| match context.action {
        AuthAction::Read {
            column_name: "pages",
            ..
        } => Authorization::Ignore,
        AuthAction::DropTable { .. } => Authorization::Deny,
        _ => Authorization::Allow,
    }))?;
    crate::functions::list(database, "SELECT title, pages FROM book WHERE year = 1999")?;
    let refused = database.execute_batch("DROP TABLE book");
    println!("drop: {}", refused.expect_err("the authorizer denies it"));
    database.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;

    // A statement without end, until the program has had enough of it.
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
                   SELECT count(*) FROM n";
    let asked = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&asked);
    database.progress_handler(
        1000,
        Some(move || counter.fetch_add(1, Ordering::Relaxed) + 1 == PATIENCE),
    )?;
    let stopped = database.query_row(endless, [], |_| Ok(()));
    let asked = asked.load(Ordering::Relaxed);
    println!(
        "asked {asked} times: {}",
        stopped.expect_err("it has no end")
    );
    database.progress_handler(0, None::<fn() -> bool>)?;
    Ok(())
}

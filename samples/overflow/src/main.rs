//! A picture kiosk: it plays an animation somebody sent in, and every frame
//! costs one unit of the customer's balance.
//!
//! The balance is no business of the decoder's. Under plain cargo that is a
//! matter of good manners, under `cargo cubicle` it is enforced.

mod player;
mod screen;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use player::{Player, Step};

/// What the customer has left, in cents.
///
/// The name is kept in the program's symbol table: the generator of the
/// malicious animation looks it up there, as an attacker would in a copy of the
/// program of their own.
#[unsafe(no_mangle)]
static BALANCE_IN_CENTS: AtomicU64 = AtomicU64::new(10_00);

/// The price of one frame in cents.
const PRICE: u64 = 1_00;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: overflow ANIMATION.fli");
        return ExitCode::from(2);
    };
    let file = match std::fs::read(&path) {
        Ok(file) => file,
        Err(error) => {
            eprintln!("overflow: {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    };
    println!("balance before: {}", balance());
    let Some(mut player) = Player::open(&file) else {
        eprintln!("overflow: not an FLI animation of 320 by 200 pixels");
        return ExitCode::FAILURE;
    };
    let mut frame = 0;
    loop {
        match player.next() {
            Step::Frame => frame += 1,
            Step::End => break,
            Step::Damaged => {
                eprintln!("overflow: the animation is damaged");
                return ExitCode::FAILURE;
            }
        }
        let paid =
            BALANCE_IN_CENTS.fetch_update(Relaxed, Relaxed, |cents| cents.checked_sub(PRICE));
        if paid.is_err() {
            println!("frame {frame} is not shown: the balance is used up");
            break;
        }
        println!("frame {frame}, one unit paid:");
        print!("{}", screen::draw(player.pixels()));
    }
    println!("balance after:  {}", balance());
    ExitCode::SUCCESS
}

fn balance() -> String {
    let cents = BALANCE_IN_CENTS.load(Relaxed);
    format!("{}.{:02}", cents / 100, cents % 100)
}

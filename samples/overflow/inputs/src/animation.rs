//! The honest animation: a ball rolls from left to right, in three frames.

use crate::fli::{self, HEIGHT, Packet, WIDTH};

/// The ball's diameter in pixels.
const BALL: usize = 80;
/// Its highest line.
const TOP: usize = 60;
/// Where its left edge is in each frame.
const LEFT: [usize; 3] = [20, 100, 180];

/// The chunks of each frame.
pub fn frames() -> Vec<Vec<Vec<u8>>> {
    vec![
        vec![fli::runs(&first())],
        vec![roll(LEFT[0], LEFT[1])],
        vec![roll(LEFT[1], LEFT[2])],
    ]
}

/// The whole file.
pub fn honest() -> Vec<u8> {
    fli::file(
        &frames()
            .iter()
            .map(|chunks| fli::frame(chunks))
            .collect::<Vec<_>>(),
    )
}

fn first() -> Vec<u8> {
    let mut pixels = vec![0; WIDTH * HEIGHT];
    for y in 0..BALL {
        let at = (TOP + y) * WIDTH + LEFT[0];
        pixels[at..at + BALL].copy_from_slice(&line(y));
    }
    for y in TOP + BALL..HEIGHT {
        pixels[y * WIDTH..(y + 1) * WIDTH].fill(64);
    }
    pixels
}

/// The ball leaves one place and appears at another, further right.
fn roll(from: usize, to: usize) -> Vec<u8> {
    let gone = [0; BALL];
    let balls: Vec<Vec<u8>> = (0..BALL).map(line).collect();
    let lines: Vec<Vec<Packet>> = balls
        .iter()
        .map(|ball| {
            vec![
                Packet {
                    skip: from as u8,
                    pixels: &gone,
                },
                Packet {
                    skip: (to - from - BALL) as u8,
                    pixels: ball,
                },
            ]
        })
        .collect();
    fli::delta(TOP, &lines)
}

/// One line of the ball, brighter towards its middle.
fn line(y: usize) -> Vec<u8> {
    let radius = BALL as i64 / 2;
    let distance = |at: usize| (at as i64 - radius).pow(2);
    (0..BALL)
        .map(|x| match radius * radius - distance(x) - distance(y) {
            depth if depth <= 0 => 0,
            depth => (96 + depth * 159 / (radius * radius)) as u8,
        })
        .collect()
}

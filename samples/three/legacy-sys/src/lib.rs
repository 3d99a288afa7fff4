//! What `cpp/legacy.h` declares.

use std::ffi::{c_char, c_int, c_long};

/// Two numbers that travel in floating-point registers.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// Travels in one register of each kind.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mixed {
    pub count: i64,
    pub weight: f64,
}

/// Travels in one register, padding included.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Small {
    pub tag: u8,
    pub level: u16,
    pub scale: f32,
}

/// Travels in two registers, or on the stack when only one is left.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    pub first: i64,
    pub second: i64,
}

/// Travels in memory: as an argument on the stack, as a result where the caller says.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Big {
    pub parts: [i64; 5],
}

unsafe extern "C" {
    // legacy.cpp
    pub fn legacy_descend(depth: u32, sum: u64, spoken: bool) -> u64;
    pub fn legacy_greet(name: *const c_char) -> usize;
    pub fn legacy_number(text: *const c_char, value: *mut c_long) -> c_int;
    pub fn legacy_sort(values: *mut i64, length: usize);
    pub fn legacy_sum(values: *const i64, length: usize) -> i64;
    pub fn legacy_throw(depth: u32) -> c_int;
    pub fn legacy_calls() -> u32;
    // shapes.cpp
    pub fn legacy_turn(point: Point) -> Point;
    pub fn legacy_mix(mixed: Mixed, point: Point) -> Mixed;
    pub fn legacy_small(small: Small) -> Small;
    pub fn legacy_pair(a: i64, b: i64, c: i64, d: i64, e: i64, pair: Pair, f: i64) -> Pair;
    pub fn legacy_shift(big: Big, by: i64) -> Big;
    pub fn legacy_weigh(
        a: i8,
        b: u16,
        c: i32,
        d: i64,
        e: u64,
        f: i32,
        g: i16,
        h: u8,
        i: i64,
        r: f64,
        s: f64,
        t: f64,
        u: f64,
        v: f64,
        w: f64,
        x: f64,
        y: f64,
        z: f64,
        scale: f32,
    ) -> f64;
    // rewind.cpp
    pub fn legacy_rewind(laps: c_int) -> c_int;
}

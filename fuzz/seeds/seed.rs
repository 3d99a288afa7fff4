#![no_std]

#[repr(C)]
pub struct Both {
    a: u32,
    b: f64,
}

#[unsafe(no_mangle)]
pub extern "C" fn seed(a: Both, b: Option<&u8>, c: u128) -> Both {
    Both {
        a: a.a.wrapping_add(c as u32),
        b: b.map_or(a.b, |b| f64::from(*b)),
    }
}

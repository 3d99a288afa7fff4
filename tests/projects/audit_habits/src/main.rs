//! Calls every function of the library more than once.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uint, c_ulong, c_void};

#[repr(C)]
struct Habit {
    steps: c_uint,
    total: c_uint,
    state: *mut c_void,
}

type Compare = extern "C" fn(*const c_int, *const c_int, *mut c_void) -> c_int;

unsafe extern "C" {
    fn habit_read(buffer: *mut c_void, size: usize) -> usize;
    fn habit_pack(dest: *mut u8, dest_len: *mut c_ulong, source: *const u8, len: c_ulong) -> c_int;
    fn habit_sum(values: *const c_int, count: c_int) -> c_long;
    fn habit_vowels(text: *const c_char) -> c_uint;
    fn habit_name(number: c_int) -> *const c_char;
    fn habit_sort(values: *mut c_int, count: usize, compare: Compare, context: *mut c_void);
    fn habit_open(habit: *mut Habit) -> c_int;
    fn habit_step(habit: *mut Habit, by: c_uint) -> c_int;
    fn habit_close(habit: *mut Habit) -> c_int;
    fn habit_say(text: *const c_char, length: usize) -> c_long;
}

/// Downwards; counts how often it is asked.
extern "C" fn compare(left: *const c_int, right: *const c_int, context: *mut c_void) -> c_int {
    // SAFETY: the library passes two numbers, and the word it was given.
    unsafe {
        *context.cast::<u32>() += 1;
        (*right).cmp(&*left) as c_int
    }
}

fn main() {
    if std::env::args().any(|word| word == "crash") {
        let text = CString::new("so much").unwrap();
        // SAFETY: the second one is none: it is there to crash.
        unsafe { habit_vowels(text.as_ptr()) + habit_vowels(8 as *const c_char) };
    }
    // SAFETY: each call is what the library's own comments ask for.
    unsafe {
        for size in [3, 40, 1000] {
            let mut buffer = vec![0xffu8; size];
            let filled = habit_read(buffer.as_mut_ptr().cast(), size);
            let sum: u32 = buffer.iter().map(|byte| u32::from(*byte)).sum();
            println!("read {filled} of {size}: {sum}");
        }
        for text in ["so much", "depends upon a red wheel barrow", ""] {
            let source = text.as_bytes().to_vec();
            let mut packed = vec![b'-'; text.len() + 2];
            let mut length = packed.len() as c_ulong;
            let source_length = source.len() as c_ulong;
            habit_pack(
                packed.as_mut_ptr(),
                &mut length,
                source.as_ptr(),
                source_length,
            );
            println!("packed {length}: {}", String::from_utf8_lossy(&packed));
            let text = CString::new(text).unwrap();
            println!("vowels {}", habit_vowels(text.as_ptr()));
        }
        for count in [1, 7, 30] {
            let mut values: Vec<c_int> = (0..count).map(|n| n * 37 % 11).collect();
            let mut asked = 0u32;
            println!("sum {}", habit_sum(values.as_ptr(), count));
            let context = (&raw mut asked).cast();
            habit_sort(values.as_mut_ptr(), values.len(), compare, context);
            println!("sorted {:?}, asked {asked} times", values);
        }
        for number in 0..3 {
            println!("{}", CStr::from_ptr(habit_name(number)).to_str().unwrap());
        }
        for by in 1..4 {
            let mut habit = Box::new(Habit {
                steps: 9,
                total: 9,
                state: std::ptr::null_mut(),
            });
            assert_eq!(habit_open(&mut *habit), 0);
            let inner = 5;
            for _ in 0..inner {
                assert_eq!(habit_step(&mut *habit, by), 0);
            }
            assert_eq!(habit_close(&mut *habit), 0);
            println!("{} steps: {}", habit.steps, habit.total);
        }
        for text in ["said\n", "once more\n"] {
            let text = text.to_owned();
            assert_eq!(
                habit_say(text.as_ptr().cast(), text.len()),
                text.len() as c_long
            );
        }
    }
}

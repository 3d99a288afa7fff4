//! Alternate stacks: one for each cubicle on each thread. The kernel's is the monitor's;
//! where a cubicle's handlers run is the cubicle's own affair, and its own memory.

const SS_ONSTACK: u32 = 1;
const SS_DISABLE: u32 = 2;
const SS_AUTODISARM: u32 = 1 << 31;
/// The least that the kernel accepts, MINSIGSTKSZ.
const SMALLEST: u64 = 2048;

/// `stack_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlternateStack {
    pub base: u64,
    pub size: u64,
    pub flags: u32,
}

impl AlternateStack {
    /// None: all zeroes, unlike what the kernel says of it.
    pub const NONE: AlternateStack = AlternateStack {
        base: 0,
        size: 0,
        flags: 0,
    };

    /// From the three words of a `stack_t`.
    pub fn from_words(words: [u64; 3]) -> AlternateStack {
        AlternateStack {
            base: words[0],
            flags: words[1] as u32,
            size: words[2],
        }
    }

    /// What a program is shown while its stack pointer is `stack`.
    pub fn words(&self, stack: u64) -> [u64; 3] {
        let state = match (self.size, self.holds(stack)) {
            (0, _) => SS_DISABLE,
            (_, true) => SS_ONSTACK,
            (_, false) => 0,
        };
        let flags = state | self.flags & SS_AUTODISARM;
        [self.base, flags.into(), self.size]
    }

    /// Does code with this stack pointer run on it? It may come back to one that
    /// disarms itself at any time.
    pub fn holds(&self, stack: u64) -> bool {
        self.flags & SS_AUTODISARM == 0
            && stack > self.base
            && stack.wrapping_sub(self.base) <= self.size
    }

    /// Where a handler's frame goes that asks for it, if it is not in use.
    pub fn top(&self, stack: u64) -> Option<u64> {
        (self.size != 0 && !self.holds(stack)).then(|| self.base.wrapping_add(self.size))
    }

    /// A handler starts on it.
    pub fn disarm(&mut self) {
        if self.flags & SS_AUTODISARM != 0 {
            *self = AlternateStack::NONE;
        }
    }

    /// `sigaltstack` with a new one, while the stack pointer is `stack`. An error
    /// number, positive.
    pub fn set(&mut self, new: AlternateStack, stack: u64) -> Result<(), i64> {
        use crate::machine::kernel::error;
        if self.holds(stack) && self.size != 0 {
            return Err(error::EPERM);
        }
        match new.flags & !SS_AUTODISARM {
            SS_DISABLE => *self = AlternateStack::NONE,
            0 | SS_ONSTACK if new.size < SMALLEST => return Err(error::ENOMEM),
            0 | SS_ONSTACK => {
                *self = AlternateStack {
                    flags: new.flags & SS_AUTODISARM,
                    ..new
                }
            }
            _ => return Err(error::EINVAL),
        }
        Ok(())
    }
}

/// `sigaltstack`.
#[cfg(monitor_image)]
pub fn change(cubicle: usize, new: u64, old: u64) -> i64 {
    use crate::machine::kernel::error;
    use crate::memory_calls;
    let Some(frame) = crate::process::run::frame(cubicle) else {
        return -error::EPERM;
    };
    // SAFETY: the frame is open: the cubicle has just entered the monitor. What it
    // says of the stack pointer concerns only the cubicle.
    let stack = unsafe { (*frame).saved[3] };
    let alternate = &mut super::own().alternate[cubicle];
    let before = alternate.words(stack);
    if new != 0 {
        let mut bytes = [0; 24];
        if !memory_calls::read(cubicle, new, &mut bytes) {
            return -error::EFAULT;
        }
        let mut words = [0; 3];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            let mut eight = [0; 8];
            eight.copy_from_slice(bytes);
            *word = u64::from_le_bytes(eight);
        }
        if let Err(error) = alternate.set(AlternateStack::from_words(words), stack) {
            return -error;
        }
    }
    let mut bytes = [0; 24];
    for (place, word) in bytes.chunks_exact_mut(8).zip(before) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    if old != 0 && !memory_calls::write(cubicle, old, &bytes) {
        return -error::EFAULT;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: AlternateStack = AlternateStack {
        base: 0x1000,
        size: 0x2000,
        flags: 0,
    };

    #[test]
    fn a_stack_in_use_is_left_alone() {
        let mut stack = AlternateStack::NONE;
        assert_eq!(stack.words(0x9000), [0, 2, 0]);
        assert_eq!(stack.set(STACK, 0x9000), Ok(()));
        assert_eq!(stack.top(0x9000), Some(0x3000));
        assert_eq!(stack.top(0x2000), None);
        assert_eq!(stack.words(0x2000)[1], 1);
        assert_eq!(
            stack.set(AlternateStack::from_words([0, 2, 0]), 0x2000),
            Err(1)
        );
        assert_eq!(
            stack.set(AlternateStack::from_words([0, 2, 0]), 0x9000),
            Ok(())
        );
        assert_eq!(stack, AlternateStack::NONE);
    }

    #[test]
    fn small_stacks_and_unknown_flags_are_refused() {
        let mut stack = AlternateStack::NONE;
        let small = AlternateStack { size: 100, ..STACK };
        assert_eq!(stack.set(small, 0), Err(12));
        let strange = AlternateStack { flags: 8, ..STACK };
        assert_eq!(stack.set(strange, 0), Err(22));
    }

    #[test]
    fn one_that_disarms_itself_does() {
        let mut stack = AlternateStack::NONE;
        let disarming = AlternateStack {
            flags: SS_AUTODISARM,
            ..STACK
        };
        assert_eq!(stack.set(disarming, 0), Ok(()));
        assert_eq!(stack.top(0x2000), Some(0x3000));
        stack.disarm();
        assert_eq!(stack, AlternateStack::NONE);
    }
}

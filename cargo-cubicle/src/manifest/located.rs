//! A value together with the bytes of the manifest it came from.

use std::ops::{Deref, Range};

/// A value and its byte span in the manifest. Later phases point there when
/// something turns out to be wrong with it.
#[derive(Clone, Debug)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Byte offsets into the manifest's text. A value that the manifest leaves
    /// to its default has the span of the name it belongs to.
    pub span: Range<usize>,
}

impl<T> Located<T> {
    /// A value found at `span`.
    pub fn new(value: T, span: Range<usize>) -> Self {
        Located { value, span }
    }

    /// Another value from the same place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Located<U> {
        Located::new(change(self.value), self.span)
    }
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

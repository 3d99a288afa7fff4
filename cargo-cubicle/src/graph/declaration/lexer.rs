//! The words of a C declaration.

use super::DeclarationError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    Word(&'t str),
    Number(u64),
    Symbol(char),
    Ellipsis,
    End,
}

/// Splits a text into tokens, each with its offset. The last is `End`.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token<'_>)>, DeclarationError> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let offset = text.len() - rest.len();
        let Some(first) = rest.chars().next() else {
            found.push((offset, Token::End));
            return Ok(found);
        };
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (token, length) = if rest.starts_with("...") {
            (Token::Ellipsis, 3)
        } else if is_word(first) {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let (word, _) = rest.split_at(length);
            if first.is_ascii_digit() {
                let number = word.parse().map_err(|_| DeclarationError {
                    offset,
                    message: format!("`{word}` is not a decimal number"),
                })?;
                (Token::Number(number), length)
            } else {
                (Token::Word(word), length)
            }
        } else if "*()[],;".contains(first) {
            (Token::Symbol(first), 1)
        } else {
            return Err(DeclarationError {
                offset,
                message: format!("`{first}` has no place in a C declaration"),
            });
        };
        found.push((offset, token));
        rest = rest.split_at(length).1;
    }
}

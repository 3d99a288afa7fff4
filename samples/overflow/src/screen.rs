//! Shows a frame in a terminal.

use flic_sys::{HEIGHT, WIDTH};

/// A character stands for this many pixels across and down.
const ACROSS: usize = 8;
const DOWN: usize = 20;

/// Draws the pixel in the middle of each cell, from dark to bright.
pub fn draw(pixels: &[u8]) -> String {
    const SHADES: &[u8] = b" .:-=+*#";
    let mut text = String::new();
    for y in (DOWN / 2..HEIGHT).step_by(DOWN) {
        text.push_str("  |");
        for x in (ACROSS / 2..WIDTH).step_by(ACROSS) {
            text.push(SHADES[usize::from(pixels[y * WIDTH + x]) / 32] as char);
        }
        text.push_str("|\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bright_cell_is_drawn_where_it_is() {
        let mut pixels = vec![0; WIDTH * HEIGHT];
        pixels[(20 + 10) * WIDTH + 8 * 3 + 4] = 255;
        let text = draw(&pixels);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 10);
        assert_eq!(lines[1].find('#'), Some(3 + 3));
        assert_eq!(text.matches('#').count(), 1);
    }
}

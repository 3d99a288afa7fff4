//! Writes FLI files: a header, frames, and chunks within frames.

/// The size of every FLI animation in pixels.
pub const WIDTH: usize = 320;
/// See [`WIDTH`].
pub const HEIGHT: usize = 200;

/// One packet of a changed line: skip some pixels, then replace some.
pub struct Packet<'a> {
    /// Pixels to leave as they are.
    pub skip: u8,
    /// What replaces the next ones, at most 127 bytes.
    pub pixels: &'a [u8],
}

/// A whole frame as runs of equal pixels.
pub fn runs(pixels: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for line in pixels.chunks_exact(WIDTH) {
        let packets: Vec<_> = line
            .chunk_by(|a, b| a == b)
            .flat_map(|run| run.chunks(127))
            .collect();
        // Decoders ignore this count, which does not always fit.
        body.push(packets.len() as u8);
        for run in packets {
            body.extend([run.len() as u8, run[0]]);
        }
    }
    chunk(15, &body)
}

/// Changed lines from `line` on. Nothing here insists that packets stay inside a line.
pub fn delta(line: usize, lines: &[Vec<Packet>]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend((line as u16).to_le_bytes());
    body.extend((lines.len() as u16).to_le_bytes());
    for packets in lines {
        body.push(packets.len() as u8);
        for packet in packets {
            assert!(
                packet.pixels.len() <= 127,
                "a packet replaces 127 pixels at most"
            );
            body.extend([packet.skip, packet.pixels.len() as u8]);
            body.extend(packet.pixels);
        }
    }
    chunk(12, &body)
}

/// A frame of chunks.
pub fn frame(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    let mut frame = Vec::new();
    frame.extend((body.len() as u32 + 16).to_le_bytes());
    frame.extend(0xf1fa_u16.to_le_bytes());
    frame.extend((chunks.len() as u16).to_le_bytes());
    frame.extend([0; 8]);
    frame.extend(body);
    frame
}

/// A file of frames.
pub fn file(frames: &[Vec<u8>]) -> Vec<u8> {
    let body = frames.concat();
    let mut file = Vec::new();
    file.extend((body.len() as u32 + 128).to_le_bytes());
    file.extend(0xaf11_u16.to_le_bytes());
    for field in [frames.len() as u16, WIDTH as u16, HEIGHT as u16, 8] {
        file.extend(field.to_le_bytes());
    }
    file.resize(128, 0);
    file.extend(body);
    file
}

fn chunk(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut chunk = Vec::new();
    chunk.extend((body.len() as u32 + 6).to_le_bytes());
    chunk.extend(kind.to_le_bytes());
    chunk.extend(body);
    chunk
}

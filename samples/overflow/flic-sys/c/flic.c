/* A decoder for FLI animations.
 *
 * It checks everything it reads, with one exception: decode_delta() believes
 * the file about where in a line the changed pixels are. That is the bug of
 * CVE-2016-9635 and CVE-2016-9636 (GStreamer's FLIC decoder), and it is here
 * on purpose. See the README. */
#include "flic.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_HEADER = 128, FRAME_HEADER = 16, CHUNK_HEADER = 6 };
enum { FILE_MAGIC = 0xaf11, FRAME_MAGIC = 0xf1fa };
enum { CHUNK_DELTA = 12, CHUNK_BLACK = 13, CHUNK_RUNS = 15, CHUNK_COPY = 16 };

/* Bytes still to be read. Reading beyond the end yields zeros and says so. */
struct reader {
    const uint8_t *next, *end;
    int failed;
};

struct flic {
    uint8_t pixels[FLIC_HEIGHT * FLIC_WIDTH]; /* the current frame */
    uint8_t *row[FLIC_HEIGHT];                /* where each of its lines begins */
    struct reader rest;                       /* the frames to come */
    unsigned frames;                          /* how many those are */
    uint8_t file[];
};

static size_t left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->next);
}

static unsigned read8(struct reader *reader)
{
    if (left(reader) == 0) {
        reader->failed = 1;
        return 0;
    }
    return *reader->next++;
}

static unsigned read16(struct reader *reader)
{
    unsigned low = read8(reader);
    return low | read8(reader) << 8;
}

static uint32_t read32(struct reader *reader)
{
    uint32_t low = read16(reader);
    return low | (uint32_t)read16(reader) << 16;
}

/* Splits the next length bytes off as a reader of their own. */
static struct reader take(struct reader *reader, size_t length)
{
    struct reader part = { reader->next, reader->next, 0 };
    if (length > left(reader)) {
        reader->failed = part.failed = 1;
    } else {
        part.end = reader->next += length;
    }
    return part;
}

/* A whole frame, line by line, as runs of equal pixels and literal ones. */
static int decode_runs(struct flic *flic, struct reader *chunk)
{
    for (unsigned line = 0; line < FLIC_HEIGHT; line++) {
        unsigned x = 0;
        read8(chunk); /* the number of packets: the width says it better */
        while (x < FLIC_WIDTH && !chunk->failed) {
            int count = (int8_t)read8(chunk);
            unsigned length = (unsigned)abs(count);
            if (length == 0 || length > FLIC_WIDTH - x)
                return -1;
            if (count > 0) {
                memset(flic->row[line] + x, (int)read8(chunk), length);
            } else {
                for (unsigned i = 0; i < length; i++)
                    flic->row[line][x + i] = (uint8_t)read8(chunk);
            }
            x += length;
        }
    }
    return chunk->failed ? -1 : 0;
}

/* What changed since the last frame: lines of packets, each of which skips some
 * pixels and then replaces some. */
static int decode_delta(struct flic *flic, struct reader *chunk)
{
    unsigned line = read16(chunk);
    unsigned lines = read16(chunk);

    if (line + lines > FLIC_HEIGHT)
        return -1;
    for (; lines > 0 && !chunk->failed; lines--, line++) {
        uint8_t *pixel = flic->row[line];
        for (unsigned packets = read8(chunk); packets > 0 && !chunk->failed; packets--) {
            /* The bug: nobody asks whether this is still inside the line, or
             * inside the frame. */
            pixel += read8(chunk);
            int count = (int8_t)read8(chunk);
            if (count >= 0) {
                for (; count > 0; count--)
                    *pixel++ = (uint8_t)read8(chunk);
            } else {
                uint8_t value = (uint8_t)read8(chunk);
                for (; count < 0; count++)
                    *pixel++ = value;
            }
        }
    }
    return chunk->failed ? -1 : 0;
}

static int decode_chunk(struct flic *flic, unsigned type, struct reader *chunk)
{
    switch (type) {
    case CHUNK_DELTA:
        return decode_delta(flic, chunk);
    case CHUNK_RUNS:
        return decode_runs(flic, chunk);
    case CHUNK_BLACK:
        memset(flic->pixels, 0, sizeof flic->pixels);
        return 0;
    case CHUNK_COPY:
        if (left(chunk) < sizeof flic->pixels)
            return -1;
        memcpy(flic->pixels, chunk->next, sizeof flic->pixels);
        return 0;
    default: /* palettes and thumbnails: not needed here */
        return 0;
    }
}

struct flic *flic_open(const uint8_t *file, size_t length)
{
    struct reader header = { file, file + length, 0 };
    struct flic *flic;
    unsigned magic, frames, width, height;

    read32(&header); /* the length of the file */
    magic = read16(&header);
    frames = read16(&header);
    width = read16(&header);
    height = read16(&header);
    if (length < FILE_HEADER || magic != FILE_MAGIC || width != FLIC_WIDTH || height != FLIC_HEIGHT)
        return NULL;
    flic = malloc(sizeof *flic + length);
    if (flic == NULL)
        return NULL;
    memset(flic->pixels, 0, sizeof flic->pixels);
    for (unsigned line = 0; line < FLIC_HEIGHT; line++)
        flic->row[line] = flic->pixels + line * FLIC_WIDTH;
    memcpy(flic->file, file, length);
    flic->rest = (struct reader){ flic->file + FILE_HEADER, flic->file + length, 0 };
    flic->frames = frames;
    return flic;
}

int flic_next(struct flic *flic, uint8_t *pixels, size_t length)
{
    struct reader frame;
    uint32_t size;
    unsigned magic, chunks;

    if (length != sizeof flic->pixels)
        return -1;
    if (flic->frames == 0)
        return 0;
    size = read32(&flic->rest);
    magic = read16(&flic->rest);
    chunks = read16(&flic->rest);
    take(&flic->rest, FRAME_HEADER - 8);
    if (flic->rest.failed || magic != FRAME_MAGIC || size < FRAME_HEADER)
        return -1;
    frame = take(&flic->rest, size - FRAME_HEADER);
    for (; chunks > 0; chunks--) {
        uint32_t chunk_size = read32(&frame);
        unsigned type = read16(&frame);
        struct reader chunk;
        if (frame.failed || chunk_size < CHUNK_HEADER)
            return -1;
        chunk = take(&frame, chunk_size - CHUNK_HEADER);
        if (chunk.failed || decode_chunk(flic, type, &chunk) != 0)
            return -1;
    }
    flic->frames--;
    memcpy(pixels, flic->pixels, sizeof flic->pixels);
    return 1;
}

void flic_close(struct flic *flic)
{
    free(flic);
}

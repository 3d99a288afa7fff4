/* A decoder for FLI animations: 320 by 200 pixels, one byte each. */
#ifndef FLIC_H
#define FLIC_H

#include <stddef.h>
#include <stdint.h>

#define FLIC_WIDTH 320
#define FLIC_HEIGHT 200

struct flic;

/* Copies the file. Returns NULL if it is no FLI animation, or without memory. */
struct flic *flic_open(const uint8_t *file, size_t length);

/* Decodes the next frame and stores its pixels, FLIC_WIDTH * FLIC_HEIGHT bytes.
 * Returns 1, or 0 after the last frame, or -1 if the file is damaged or length
 * is not the number of pixels. */
int flic_next(struct flic *flic, uint8_t *pixels, size_t length);

/* Frees everything. NULL is allowed. */
void flic_close(struct flic *flic);

#endif

/* Calls every function that manifests/zlib.toml describes. */
/* For `gzopen64`. */
#define _LARGEFILE64_SOURCE 1
#include <fcntl.h>
#include <unistd.h>

#include "check.h"
#include "zlib.h"

#undef gzgetc

enum { LENGTH = 100000 };

static unsigned char text[LENGTH], packed[LENGTH], restored[LENGTH + 1];

static void fill(void)
{
    unsigned state = 1;
    for (int i = 0; i < LENGTH; i++) {
        state = state * 1103515245 + 12345;
        text[i] = "etaoin shrdlu\n"[(state >> 16) % 14];
    }
}

static void buffers(void)
{
    uLongf length = sizeof packed, back = sizeof restored;
    z_size_t length_z = sizeof packed, back_z = sizeof restored;
    uLong used;
    z_size_t used_z;

    CHECK(compressBound(LENGTH) < 2 * LENGTH && compressBound_z(LENGTH) < 2 * LENGTH);
    CHECK(compress(packed, &length, text, LENGTH) == Z_OK);
    packed[length] = 0xaa;
    CHECK(uncompress(restored, &back, packed, length) == Z_OK);
    CHECK(back == LENGTH && !memcmp(text, restored, LENGTH));
    used = length + 1;
    CHECK(uncompress2(restored, &back, packed, &used) == Z_OK && used == length);
    CHECK(uncompress2_z(restored, &back_z, packed, (used_z = length + 1, &used_z)) == Z_OK);
    CHECK(used_z == length && back_z == LENGTH);
    printf("compress %lu\n", length);

    length = 1000;
    CHECK(compress2(packed, &length, text, LENGTH, 9) == Z_BUF_ERROR);
    length = sizeof packed;
    packed[LENGTH - 1] = 0x55;
    CHECK(compress2(packed, &length, text, LENGTH, 9) == Z_OK);
    /* Behind what was written, everything stays. */
    CHECK(packed[LENGTH - 1] == 0x55);
    CHECK(compress_z(packed, &length_z, text, LENGTH) == Z_OK);
    length_z = sizeof packed;
    CHECK(compress2_z(packed, &length_z, text, LENGTH, 1) == Z_OK);
    back_z = sizeof restored;
    CHECK(uncompress_z(restored, &back_z, packed, length_z) == Z_OK);
    CHECK(back_z == LENGTH && !memcmp(text, restored, LENGTH));
    printf("compress2 %lu %lu\n", length, (unsigned long)length_z);

    printf("checksums %lx %lx\n", adler32(1, text, LENGTH), crc32(0, text, LENGTH));
    CHECK(adler32_z(1, text, LENGTH) == adler32(1, text, LENGTH));
    CHECK(crc32_z(0, text, LENGTH) == crc32(0, text, LENGTH));
    CHECK(crc32(0, Z_NULL, 0) == 0 && adler32(0, Z_NULL, 0) == 1);
}

/* An allocator. In a cubicle, zlib is shown none and takes its own: this one's
 * memory would be the program's. */
static voidpf allocate(voidpf opaque, uInt items, uInt size)
{
    (void)opaque;
    return calloc(items, size);
}

static void release(voidpf opaque, voidpf address)
{
    (void)opaque;
    free(address);
}

static void streams(void)
{
    z_stream out = {0}, in = {0}, copy;
    unsigned char window[32768];
    unsigned pending;
    uInt length;
    int bits, result;
    const char *word = "etaoin shrdlu";
    gz_header header = {0};
    unsigned char marker[] = {1, 0, 0, 0xff, 0xff, 9};

    CHECK(deflateInit(&out, 6) == Z_OK);
    CHECK(deflateBound(&out, LENGTH) > 1000 && deflateBound_z(&out, LENGTH) > 1000);
    CHECK(deflateTune(&out, 8, 16, 128, 128) == Z_OK);
    CHECK(deflateSetDictionary(&out, (const Bytef *)word, (uInt)strlen(word)) == Z_OK);
    out.next_in = text;
    out.avail_in = LENGTH / 2;
    out.next_out = packed;
    out.avail_out = sizeof packed;
    CHECK(deflate(&out, Z_NO_FLUSH) == Z_OK);
    CHECK(out.next_in == text + LENGTH / 2 && out.avail_in == 0);
    CHECK(deflatePending(&out, &pending, &bits) == Z_OK && deflateUsed(&out, &bits) == Z_OK);
    CHECK(deflateParams(&out, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    CHECK(deflateCopy(&copy, &out) == Z_OK);
    CHECK(copy.next_out == out.next_out && copy.total_in == out.total_in);
    CHECK(deflateEnd(&copy) == Z_DATA_ERROR);
    out.avail_in = LENGTH - LENGTH / 2;
    CHECK(deflate(&out, Z_FINISH) == Z_STREAM_END);
    CHECK(out.next_out == packed + out.total_out);
    CHECK(out.avail_out == sizeof packed - out.total_out);
    CHECK(deflateGetDictionary(&out, window, &length) == Z_OK && length == sizeof window);
    CHECK(!memcmp(window, text + LENGTH - length, length));
    printf("deflate %lu %lx\n", out.total_out, out.adler);

    CHECK(inflateInit(&in) == Z_OK);
    in.next_in = packed;
    in.avail_in = (uInt)out.total_out;
    in.next_out = restored;
    in.avail_out = sizeof restored;
    CHECK(inflate(&in, Z_NO_FLUSH) == Z_NEED_DICT && in.next_in > packed);
    CHECK(inflateSetDictionary(&in, (const Bytef *)word, (uInt)strlen(word)) == Z_OK);
    in.avail_out = 1000;
    CHECK(inflate(&in, Z_NO_FLUSH) == Z_OK && in.next_out == restored + 1000);
    CHECK(inflateGetDictionary(&in, window, &length) == Z_OK);
    CHECK(length == strlen(word) + 1000 && !memcmp(window + strlen(word), text, 1000));
    CHECK(inflateCopy(&copy, &in) == Z_OK && inflateMark(&copy) == inflateMark(&in));
    copy.avail_out = LENGTH;
    CHECK(inflate(&copy, Z_FINISH) == Z_STREAM_END && copy.total_out == LENGTH);
    CHECK(!memcmp(text, restored, LENGTH));
    CHECK(inflateEnd(&copy) == Z_OK);
    memset(restored + 1000, 0, LENGTH - 1000);
    restored[LENGTH] = 0x77;
    in.avail_out = LENGTH + 1 - 1000;
    CHECK(inflate(&in, Z_FINISH) == Z_STREAM_END && in.total_out == LENGTH);
    CHECK(!memcmp(text, restored, LENGTH) && restored[LENGTH] == 0x77);
    CHECK(inflateSyncPoint(&in) >= 0 && inflateCodesUsed(&in) > 0);
    CHECK(inflateReset(&in) == Z_OK && inflateResetKeep(&in) == Z_OK);
    CHECK(inflateUndermine(&in, 0) == Z_DATA_ERROR && inflateValidate(&in, 1) == Z_OK);
    in.next_in = (Bytef *)"no data";
    in.avail_in = 7;
    CHECK(inflate(&in, Z_NO_FLUSH) == Z_DATA_ERROR);
    printf("inflate: %s\n", in.msg);
    in.next_in = marker;
    in.avail_in = sizeof marker;
    CHECK(inflateSync(&in) == Z_OK && in.next_in == marker + 5 && in.avail_in == 1);
    CHECK(inflateReset2(&in, -15) == Z_OK && inflatePrime(&in, 3, 5) == Z_OK);
    CHECK(inflateEnd(&in) == Z_OK && inflateEnd(&in) == Z_STREAM_ERROR);

    /* A header, and an allocator that is the program's own affair. */
    CHECK(deflateEnd(&out) == Z_OK);
    memset(&out, 0, sizeof out);
    out.zalloc = allocate;
    out.zfree = release;
    out.opaque = &out;
    CHECK(deflateInit2(&out, 9, Z_DEFLATED, 31, 9, Z_FILTERED) == Z_OK);
    header.name = (Bytef *)"some name";
    header.extra = (Bytef *)"extra";
    header.extra_len = 5;
    header.time = 1000000000;
    header.os = 3;
    CHECK(deflateSetHeader(&out, &header) == Z_OK);
    out.next_in = text;
    out.avail_in = LENGTH;
    out.next_out = packed;
    out.avail_out = sizeof packed;
    CHECK(deflate(&out, Z_FINISH) == Z_STREAM_END);
    CHECK(out.zalloc == allocate && out.zfree == release && out.opaque == &out);
    CHECK(!memcmp(packed + 12, "extra" "some name", 15));
    printf("gzip %lu\n", out.total_out);
    CHECK(deflateResetKeep(&out) == Z_OK && deflateReset(&out) == Z_OK);
    CHECK(deflatePrime(&out, 0, 0) == Z_OK && deflateEnd(&out) == Z_OK);

    memset(&in, 0, sizeof in);
    CHECK(inflateInit2(&in, 31) == Z_OK);
    in.next_in = packed;
    in.avail_in = LENGTH;
    in.next_out = restored;
    in.avail_out = LENGTH;
    result = inflate(&in, Z_FINISH);
    CHECK(result == Z_STREAM_END && !memcmp(text, restored, LENGTH));
    CHECK(inflateEnd(&in) == Z_OK);
}

static void files(const char *folder)
{
    char path[300], line[40];
    const char *message;
    gzFile file;
    int descriptor, error = 1;

    snprintf(path, sizeof path, "%s/text.gz", folder);
    file = gzopen(path, "wb");
    CHECK(file);
    CHECK(gzbuffer(file, 20000) == 0);
    CHECK(gzputs(file, "first line\n") == 11);
    CHECK(gzputc(file, 'x') == 'x' && gzputc(file, '\n') == '\n');
    CHECK(gzsetparams(file, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    CHECK(gzwrite(file, text, 50000) == 50000);
    CHECK(gzflush(file, Z_SYNC_FLUSH) == Z_OK);
    CHECK(gzfwrite(text + 50000, 1000, 50, file) == 50);
    CHECK(gztell(file) == 11 + 2 + LENGTH);
    CHECK(gzclose_w(file) == Z_OK);

    file = gzdopen(open(path, O_RDONLY), "rb");
    CHECK(file);
    CHECK(gzgets(file, line, sizeof line) == line && !strcmp(line, "first line\n"));
    CHECK(gzgetc(file) == 'x' && gzungetc('y', file) == 'y' && gzgetc(file) == 'y');
    CHECK(gzgetc(file) == '\n' && !gzdirect(file));
    CHECK(gzread(file, restored, 10) == 10);
    CHECK(gzfread(restored + 10, 7, 10000, file) == 10000);
    restored[LENGTH] = 0x33;
    CHECK(gzfread(restored + 70010, 90, 333, file) == 333);
    CHECK(!memcmp(restored, text, 70010 + 90 * 333) && restored[LENGTH] == 0x33);
    CHECK(gzread(file, restored, 100) == LENGTH - 70010 - 90 * 333);
    CHECK(!memcmp(restored, text + LENGTH - 20, 20));
    memset(line, 'q', sizeof line);
    CHECK(!gzgets(file, line, sizeof line) && gzeof(file));
    CHECK(!strcmp(gzerror(file, &error), "") && error == Z_OK);
    gzclearerr(file);
    CHECK(gzrewind(file) == 0 && gzseek(file, 13, SEEK_SET) == 13);
    CHECK(gzread(file, restored, LENGTH) == LENGTH && !memcmp(restored, text, LENGTH));
    CHECK(gzoffset(file) > 0 && gzclose_r(file) == Z_OK);

    /* Damage is described in zlib's own memory. */
    descriptor = open(path, O_WRONLY);
    CHECK(pwrite(descriptor, "damage, and more damage", 23, 20000) == 23);
    close(descriptor);
    file = gzopen64(path, "rb");
    CHECK(file);
    while (gzread(file, restored, 10000) == 10000)
        ;
    message = gzerror(file, &error);
    CHECK(error == Z_DATA_ERROR && strrchr(message, ':'));
    printf("gzerror%s\n", strrchr(message, ':'));
    gzclose(file);
    unlink(path);
    CHECK(!gzopen(path, "rb"));
}

void use_zlib(const char *folder)
{
    CHECK(zlibVersion()[0] == ZLIB_VERSION[0] && zError(Z_DATA_ERROR)[0] == 'd');
    CHECK(get_crc_table()[1] == 0x77073096);
    fill();
    buffers();
    streams();
    files(folder);
    printf("zlib: done\n");
    fflush(stdout);
}

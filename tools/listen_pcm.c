#include "listen_pcm.h"

#include "../src/clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAV_HEADER 44

static int grow(void **p, size_t have, size_t *room, size_t want, size_t size)
{
    if (have + want <= *room)
        return 0;
    size_t larger = (have + want) * 2;
    void *q = realloc(*p, larger * size);
    if (!q)
        return -ENOMEM;
    *p = q;
    *room = larger;
    return 0;
}

int recording_read(struct recording *r, int fd)
{
    size_t room = 0, stamps = 0;

    for (;;) {
        if (grow((void **)&r->data, (size_t)r->bytes, &room, 1 << 16, 1) ||
            grow((void **)&r->arrivals, r->n_arrivals, &stamps, 1, sizeof *r->arrivals))
            return -ENOMEM;
        ssize_t got = read(fd, r->data + r->bytes, 1 << 16);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return 0;
        r->bytes += (uint64_t)got;
        r->arrivals[r->n_arrivals++] = (struct arrival){clock_now(), r->bytes};
    }
}

void recording_finish(struct recording *r)
{
    free(r->data);
    free(r->arrivals);
    r->data = NULL;
    r->arrivals = NULL;
}

static uint32_t le(const uint8_t *p, unsigned bytes)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint32_t)p[i] << (8 * i);
    return v;
}

static bool take_fmt(struct recording *r, const uint8_t *p, uint32_t size)
{
    if (size < 16)
        return false;
    uint32_t tag = le(p, 2), bits = le(p + 14, 2);
    if (tag == 0xFFFE && size >= 26)
        tag = le(p + 24, 2);
    r->channels = (uint8_t)le(p + 2, 2);
    r->rate = le(p + 4, 4);
    if (tag == 3 && bits == 32)
        r->type = SAMPLE_F32;
    else if (tag == 1 && (bits == 16 || bits == 24 || bits == 32))
        r->type = sample_type_of((uint8_t)bits);
    else
        return false;
    return true;
}

bool recording_take_header(struct recording *r)
{
    bool known = false;

    if (r->bytes < 12 || memcmp(r->data, "RIFF", 4) || memcmp(r->data + 8, "WAVE", 4))
        return false;
    for (uint64_t at = 12; at + 8 <= r->bytes;) {
        const uint8_t *p = r->data + at;
        uint32_t size = le(p + 4, 4);
        if (!memcmp(p, "data", 4)) {
            r->skip = at + 8;
            if (size != 0 && size < r->bytes - r->skip)
                r->bytes = r->skip + size;
            return known;
        }
        if (!memcmp(p, "fmt ", 4) && at + 8 + size <= r->bytes)
            known = take_fmt(r, p + 8, size);
        at += 8 + (uint64_t)size + (size & 1);
    }
    return false;
}

void recording_count(struct recording *r)
{
    r->frames = (r->bytes - r->skip) / (sample_bytes(r->type) * r->channels);
}

int32_t recording_sample(const struct recording *r, uint64_t frame, unsigned channel)
{
    uint32_t size = sample_bytes(r->type);
    const uint8_t *p = r->data + r->skip + (frame * r->channels + channel) * size;

    if (r->type != SAMPLE_F32)
        return (int32_t)(le(p, size) << (32 - 8 * size));

    uint32_t bits = le(p, 4);
    float v;
    memcpy(&v, &bits, sizeof v);
    double scaled = rint((double)v * 2147483648.0);
    return scaled >= 2147483647.0    ? INT32_MAX
           : scaled <= -2147483648.0 ? INT32_MIN
                                     : (int32_t)scaled;
}

static void put(uint8_t *p, unsigned bytes, uint64_t v)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

int recording_save(const struct recording *r, const char *path)
{
    uint8_t h[WAV_HEADER] = "RIFF....WAVEfmt ";
    uint32_t size = sample_bytes(r->type);
    uint64_t bytes = r->frames * size * r->channels;

    put(h + 4, 4, bytes + WAV_HEADER - 8);
    put(h + 16, 4, 16);
    put(h + 20, 2, r->type == SAMPLE_F32 ? 3 : 1);
    put(h + 22, 2, r->channels);
    put(h + 24, 4, r->rate);
    put(h + 28, 4, (uint64_t)r->rate * size * r->channels);
    put(h + 32, 2, size * r->channels);
    put(h + 34, 2, 8 * size);
    memcpy(h + 36, "data", 4);
    put(h + 40, 4, bytes);

    FILE *f = fopen(path, "wb");
    if (!f)
        return -errno;
    bool ok = fwrite(h, sizeof h, 1, f) == 1 &&
              (bytes == 0 || fwrite(r->data + r->skip, (size_t)bytes, 1, f) == 1);
    int err = ok ? 0 : -errno;
    return fclose(f) && !err ? -errno : err;
}

bool sample_type_find(const char *name, enum sample_type *type)
{
    static const char *const names[] = {
        [SAMPLE_S16] = "s16", [SAMPLE_S24_3] = "s24", [SAMPLE_S32] = "s32", [SAMPLE_F32] = "f32"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!strcmp(name, names[i])) {
            *type = (enum sample_type)i;
            return true;
        }
    }
    return false;
}

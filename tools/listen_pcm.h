/*
 * A recording in memory, with the moments at which its bytes came, and the WAV around it. All but
 * recording_read() is pure.
 */
#ifndef SCREAM_LISTEN_PCM_H
#define SCREAM_LISTEN_PCM_H

#include "../src/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* One read(): so many bytes in all had come at that time. */
struct arrival {
    int64_t t; /* ns, CLOCK_MONOTONIC */
    uint64_t bytes;
};

struct recording {
    enum sample_type type;
    uint32_t rate;
    uint8_t channels;
    uint8_t *data; /* interleaved, little-endian; skip bytes of header before it are not counted */
    uint64_t skip; /* bytes of WAV header at the start of `data` */
    uint64_t bytes;
    uint64_t frames;
    struct arrival *arrivals;
    size_t n_arrivals;
};

/* Reads fd to its end and stamps each read. 0 or -errno; free by recording_finish() either way. */
int recording_read(struct recording *r, int fd);
void recording_finish(struct recording *r);

/*
 * If the bytes begin with a WAV header, takes type, rate and channels from it: true. Sizes beyond
 * the end of the file (a writer that was killed) are cut to what is there.
 */
bool recording_take_header(struct recording *r);

/* After type, channels and header are known: counts the frames. */
void recording_count(struct recording *r);

/* Full scale is the whole int32_t, whatever the type. */
int32_t recording_sample(const struct recording *r, uint64_t frame, unsigned channel);

/* Writes the recording as a WAV file. 0 or -errno. */
int recording_save(const struct recording *r, const char *path);

/* "s16", "s24", "s32", "f32" into *type. */
bool sample_type_find(const char *name, enum sample_type *type);

#endif

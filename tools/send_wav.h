/*
 * Reads PCM out of a WAV file, which may be anybody's: every size in it is checked against the
 * file's before use. One thread.
 */
#ifndef SCREAM_SEND_WAV_H
#define SCREAM_SEND_WAV_H

#include "../src/format.h"

#include <stddef.h>
#include <stdint.h>

struct send_wav {
    int fd; /* -1: closed */
    struct pcm_format format;
    uint64_t data_at; /* where the samples start in the file */
    uint64_t bytes;   /* of samples: whole frames that are really there, at least one */
};

/*
 * Opens a file whose format a guest can have: integer PCM, plain or WAVE_FORMAT_EXTENSIBLE. Sizes
 * that reach beyond the file's end (its writer was killed, or streamed) are cut to what is there.
 * 0, or -errno with nothing open and *why, static text, saying what is wrong.
 */
int send_wav_open(struct send_wav *wav, const char *path, const char **why);

/* Samples from byte `offset` on: how many bytes came, 0 at the end, or -errno. */
int64_t send_wav_read(const struct send_wav *wav, uint64_t offset, uint8_t *buf, size_t bytes);

/* Closed is fine. */
void send_wav_close(struct send_wav *wav);

#endif

/*
 * A WAV file that is playable at every moment, whatever kills its writer: sound is written first,
 * then the header that claims it. One thread at a time; every call may block on the disk.
 */
#ifndef SCREAM_WAV_FILE_H
#define SCREAM_WAV_FILE_H

#include "../src/format.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define WAV_HEADER_MAX 68
#define WAV_LIMIT      UINT32_MAX /* bytes of a whole file: what RIFF's size field can say */

struct wav_file {
    const char *name; /* as asked for */
    struct pcm_format format;
    uint64_t limit; /* bytes of a file */

    int fd;
    uint32_t header; /* bytes before the sound */
    uint64_t data;   /* bytes of sound that the header claims: whole frames */
    char path[PATH_MAX];
};

/*
 * Makes a new file. None is ever written over: where `name` is taken, it is "stem-2.wav", then 3 and so
 * on (wav_name.h). name: the caller's, outlives the file; limit: WAV_LIMIT but in tests. 0, or -errno
 * with `why` filled; -ENOTSUP if `name` is something other than a regular file.
 */
int wav_file_open(struct wav_file *f, const char *name, const struct pcm_format *format,
                  uint64_t limit, char *why, size_t size);

/*
 * What wav_file_open() would do, but no file is made: 0 and which one in `text`, or -errno and why not, with
 * the remedy behind a semicolon.
 */
int wav_file_rehearse(const char *name, char *text, size_t size);

/*
 * Appends whole frames; what the limit leaves no room for begins another file. 0, or -errno
 * (-ENOSPC) with as many of them in the file as there was room for.
 */
int wav_file_write(struct wav_file *f, const uint8_t *pcm, uint32_t bytes);

/* A file that holds no sound is removed. */
void wav_file_close(struct wav_file *f);

/* For tests: the header of a file with so many bytes of sound; returns its length. */
uint32_t wav_header(uint8_t out[WAV_HEADER_MAX], const struct pcm_format *format, uint64_t data);

#endif

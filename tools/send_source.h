/* What a guest plays: a signal, a WAV file or raw PCM on stdin, as a stream of bytes. One thread. */
#ifndef SCREAM_SEND_SOURCE_H
#define SCREAM_SEND_SOURCE_H

#include "../src/format.h"
#include "send_options.h"
#include "send_wait.h"
#include "send_wav.h"
#include "signal.h"

#include <stddef.h>
#include <stdint.h>

struct send_source {
    /* the signal's, from the last start() on */
    struct pcm_format format;
    enum signal_kind signal;
    uint64_t at; /* bytes that were read */

    /* from open() on */
    int64_t (*read)(struct send_source *source, uint8_t *buf, size_t bytes);
    const char *name;             /* for the log: the signal's, "wav" or "stdin" */
    bool repeat;                  /* wav */
    struct send_wav wav;          /* wav */
    int fd;                       /* stdin */
    const struct send_wait *wait; /* stdin; the caller's */
};

/*
 * Of the options: wav, from_stdin, repeat, format, signal. After it a source is started in the
 * options' or the WAV file's format. 0, or -errno after a line on stderr. `wait` outlives it.
 */
int send_source_open(struct send_source *source, const struct send_options *options,
                     const struct send_wait *wait);

/* Another signal, from its frame 0 on. Not for wav and stdin. */
void send_source_start(struct send_source *source, const struct pcm_format *f,
                       enum signal_kind signal);

/*
 * The next bytes: how many there were, fewer than asked for only at the end, or -errno. Waits on
 * stdin until they are there; -EINTR when the user wants an end.
 */
static inline int64_t send_source_read(struct send_source *source, uint8_t *buf, size_t bytes)
{
    return source->read(source, buf, bytes);
}

void send_source_close(struct send_source *source);

#endif

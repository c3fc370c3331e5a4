/* An output under test with a real stream and player before it: what the receiver thread and the
 * session would do, by hand. */
#ifndef SCREAM_FED_H
#define SCREAM_FED_H

#include "output.h"
#include "stream.h"

#include <stdatomic.h>

struct fed {
    struct stream stream;
    struct notifier notifier;
    struct pcm_format format;
    struct output_config config;
    struct player *player;
    struct output *out;
    uint64_t sent; /* bytes */
    char why[512];
};

/* A stream of that format has begun; the output's open() says what it says. */
int fed_open(struct fed *f, const struct output_driver *driver, const struct pcm_format *format,
             const char *device);
void fed_close(struct fed *f);

/* The next bytes of the source, at once; false when the ring had no room for them. */
bool fed_send(struct fed *f, uint32_t bytes);

/*
 * A guest in real time: sends packets when they are due, until ms have passed or *reached >= enough.
 * True: that has come, or is not asked for (NULL).
 */
bool fed_play(struct fed *f, int ms, const atomic_ulong *reached, unsigned long enough);

/* Byte n of every source: any loss or repetition shows. */
uint8_t fed_byte(uint64_t n);

/* Whether the output fails within so many ms. */
bool fed_fails(struct fed *f, int ms);

/* Stops it, for which nobody waits. */
void fed_stop_is_quick(struct fed *f);

#endif

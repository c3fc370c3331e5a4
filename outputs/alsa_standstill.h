/*
 * Has a device that stood still hung? A plugin whose server hung tells wrong times afterwards: it is begun
 * with anew. One that only takes sound in gulps is borne, and one that was ahead when it began. Pure; one
 * thread at a time. Times in ns, sound in frames.
 */
#ifndef SCREAM_ALSA_STANDSTILL_H
#define SCREAM_ALSA_STANDSTILL_H

#include <stdbool.h>
#include <stdint.h>

struct alsa_standstill {
    int64_t moved; /* time when it last moved, or began; 0: it is about to */
    int64_t seen;  /* time when it was last looked at */
    int64_t taken; /* of the sound that it had been given, by `moved` */
    int64_t
        gulped; /* the longest time for which it stood still before a gulp; kept over beginnings */
};

/* It is about to run, and has taken nothing. Zeroed memory is as good the first time. */
void alsa_standstill_begin(struct alsa_standstill *s);

/*
 * At each look: by now it has taken so much since it began. buffer: what it may hold; rate: Hz. True, once,
 * when it moves again after it had hung.
 */
bool alsa_standstill_hung(struct alsa_standstill *s, int64_t now, int64_t taken, int64_t buffer,
                          uint32_t rate);

#endif

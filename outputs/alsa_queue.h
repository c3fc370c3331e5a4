/*
 * A device's buffer as a queue, filled ahead of time by the clock: long, and as full as the player's
 * target latency makes it. The feeder's thread.
 */
#ifndef SCREAM_ALSA_QUEUE_H
#define SCREAM_ALSA_QUEUE_H

#include "alsa_setup.h"

#include <alsa/asoundlib.h>
#include <stdbool.h>
#include <stdint.h>

struct player;

struct alsa_queue {
    /* immutable */
    snd_pcm_t *pcm;
    struct player *player;
    uint32_t rate;
    snd_pcm_uframes_t period, buffer; /* frames */
    snd_pcm_uframes_t first;          /* what it holds at first, and while there is no sound */
    size_t frame_bytes;
    bool mmap;
    void *scratch; /* a period, for devices without mmap */
    snd_pcm_status_t *status;

    unsigned quiet; /* turns in a row in which there was no sound */
    int64_t given;  /* frames since it began to run */
    int64_t taken;  /* of them, by the latest look */

    /*
     * The null plugin, and what ends in it, takes whatever it is given at once and tells of nothing. The
     * queue of such a device is imagined: it lasts until then, CLOCK_MONOTONIC, ns.
     */
    bool swallows;
    int64_t lasts_until;
};

/* For that PCM, prepared so. 0 or -ENOMEM. */
int alsa_queue_init(struct alsa_queue *q, snd_pcm_t *pcm, const struct alsa_setup *setup);

/* What so many frames last, ns. */
int64_t alsa_queue_ns(const struct alsa_queue *q, int64_t frames);

/* It is about to run: what it holds is gone. */
void alsa_queue_begin(struct alsa_queue *q);

/*
 * Whatever the player has, and at least what the queue must hold until the next turn, a period later;
 * silence: only that, of silence. 0, or -errno as alsa-lib has it.
 */
int alsa_queue_fill(struct alsa_queue *q, bool silence);

#endif

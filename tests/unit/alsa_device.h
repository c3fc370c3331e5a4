/*
 * A simulated ALSA device with knobs: it plays by the clock, can run dry, fall asleep and go
 * away. Opened as "sim" by an snd_pcm_open() that this puts before the real one, as it does with snd_pcm_resume().
 */
#ifndef SCREAM_ALSA_DEVICE_H
#define SCREAM_ALSA_DEVICE_H

#ifdef HAVE_ALSA
#include <alsa/asoundlib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SIM_NAME "sim"

struct sim {
    /* before it is opened; 0 or NULL: whatever is asked for */
    int open_error;
    unsigned rate, channels;
    bool s16_only;
    bool mmap;             /* its buffer can be mapped, too */
    const unsigned *chmap; /* `channels` of enum snd_pcm_chmap_position */
    int resume_error;      /* at the last; 0: it says that it has, */
    bool wakes;            /* and has; else it stays asleep */

    /* while it plays: how often it is to happen */
    atomic_int dry, asleep, resume_fails;
    atomic_bool stalled; /* stands still */
    atomic_bool gone;    /* pulled out */
    atomic_bool hangs;   /* does not open for as long as that, like a plugin's server */

    /* what it saw */
    atomic_int opens, opened, closed;
    atomic_int prepares, resumes;
    atomic_ulong heard; /* frames that were not silent */
    atomic_ulong taken; /* frames */

    struct snd_pcm_ioplug *io; /* the device's own thread: the one that it plays by */
};

/* The one that the next open of SIM_NAME makes; lives longer than what is opened. */
void sim_use(struct sim *s);
#endif

#endif

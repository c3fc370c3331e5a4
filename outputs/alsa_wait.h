/* When an ALSA device wants frames. The feeder's thread. */
#ifndef SCREAM_ALSA_WAIT_H
#define SCREAM_ALSA_WAIT_H

#include <alsa/asoundlib.h>
#include <stdbool.h>
#include <stdint.h>

struct alsa_wait {
    /* immutable */
    snd_pcm_t *pcm;
    uint32_t rate;
    snd_pcm_uframes_t period, buffer; /* frames */

    /* the feeder's */
    bool idle; /* it was woken for nothing: next time by the clock */

    /*
     * The null plugin, and what ends in it, takes whatever it is given at once. A device that never
     * makes us wait gets its frames by the clock: `credit` of them until `credited`.
     */
    int64_t credit;
    int64_t credited;
};

/* What so many frames last. */
int64_t alsa_wait_ns(const struct alsa_wait *w, int64_t frames);

/* Waits on the clock alone, for ns or until woken: as poll(). */
int alsa_wait_clock(int wake_fd, int64_t ns);

/*
 * Waits until the device has room. 1; 0 when it has none after all, or wake_fd is readable;
 * -errno. A device's descriptors may be readable and mean nothing: it says so itself.
 */
int alsa_wait_device(struct alsa_wait *w, int wake_fd);

/* Holds back what would be taken faster than it can be played, or was woken for nothing: as above. */
int alsa_wait_pace(struct alsa_wait *w, int wake_fd);

#endif

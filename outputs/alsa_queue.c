#include "alsa_queue.h"

#include "../src/clock.h"
#include "../src/player.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STAMP_MAX_AGE_NS (100 * NS_PER_MS) /* older, or of the future: on another clock */
#define MARGIN_NS        (NS_PER_MS * 5 / 2) /* by which our thread may be late when the queue is low */

/* While there is no sound, the queue may as well hold more: it does not run dry then. */
#define QUIET_TURNS 10

/* What the device says at one look, kept up to date while it is being filled. */
struct look {
    int64_t stamp; /* CLOCK_MONOTONIC, ns */
    int64_t delay; /* ns from there until a frame written now is heard */
    int64_t held;  /* frames in the queue then; negative when it has run dry and time goes on */
    int64_t room;  /* frames that it takes */
};

int alsa_queue_init(struct alsa_queue *q, snd_pcm_t *pcm, const struct alsa_setup *setup)
{
    q->pcm = pcm;
    q->rate = setup->rate;
    q->period = setup->period;
    q->buffer = setup->buffer;
    q->first = setup->first;
    q->mmap = setup->mmap;
    q->frame_bytes = sample_bytes(setup->type) * setup->map.channels;
    free(q->scratch);
    q->scratch = malloc(q->period * q->frame_bytes);
    return q->scratch ? 0 : -ENOMEM;
}

int64_t alsa_queue_ns(const struct alsa_queue *q, int64_t frames)
{
    return frames * NS_PER_S / q->rate;
}

static int64_t stamp_of(const struct alsa_queue *q, int64_t now)
{
    snd_htimestamp_t at;
    snd_pcm_status_get_htstamp(q->status, &at);
    const int64_t stamp = (int64_t)at.tv_sec * NS_PER_S + at.tv_nsec;
    const bool moves = snd_pcm_status_get_state(q->status) == SND_PCM_STATE_RUNNING;
    return moves && stamp <= now && now - stamp < STAMP_MAX_AGE_NS ? stamp : now;
}

static int look(const struct alsa_queue *q, struct look *l)
{
    const int err = snd_pcm_status(q->pcm, q->status);
    const snd_pcm_sframes_t room = err < 0 ? err : snd_pcm_avail_update(q->pcm);
    if (room < 0)
        return (int)room;
    const int64_t now = clock_now();
    const snd_pcm_sframes_t delay = snd_pcm_status_get_delay(q->status);
    *l = (struct look){.stamp = stamp_of(q, now), .room = room};
    l->held = (int64_t)q->buffer - (int64_t)snd_pcm_status_get_avail(q->status);
    l->delay = alsa_queue_ns(q, delay > l->held ? delay : l->held);
    if (q->swallows) {
        l->stamp = now;
        l->delay = q->lasts_until - now;
        l->held = l->delay * q->rate / NS_PER_S;
    }
    return 0;
}

static struct player_moment moment(const struct alsa_queue *q, const struct look *l)
{
    const int64_t now = clock_now();
    const int64_t behind = l->delay - alsa_queue_ns(q, l->held);
    const int64_t delay = l->stamp + l->delay - now;
    return (struct player_moment){.now = now, .delay = delay, .held = delay - behind};
}

/* From the player, or silence: at least `least` frames. How many. */
static uint32_t take(const struct alsa_queue *q, void *dst, int64_t least, snd_pcm_uframes_t most,
                     const struct player_moment *m)
{
    if (m)
        return player_pour(q->player, dst, (uint32_t)least, (uint32_t)most, m);
    memset(dst, 0, (size_t)least * q->frame_bytes);
    return (uint32_t)least;
}

static snd_pcm_sframes_t fill_mapped(const struct alsa_queue *q, int64_t least,
                                     snd_pcm_uframes_t most, const struct player_moment *m)
{
    const snd_pcm_channel_area_t *areas;
    snd_pcm_uframes_t offset;
    const int err = snd_pcm_mmap_begin(q->pcm, &areas, &offset, &most);
    if (err < 0)
        return err;
    uint8_t *at = (uint8_t *)areas[0].addr + areas[0].first / 8 + offset * (areas[0].step / 8);
    const int64_t must = least < (int64_t)most ? least : (int64_t)most;
    const uint32_t frames = take(q, at, must, most, m);
    const snd_pcm_sframes_t done = snd_pcm_mmap_commit(q->pcm, offset, frames);
    return done >= 0 && done < (snd_pcm_sframes_t)frames ? -EPIPE : done;
}

static snd_pcm_sframes_t fill_written(const struct alsa_queue *q, int64_t least,
                                      snd_pcm_uframes_t most, const struct player_moment *m)
{
    most = most < q->period ? most : q->period;
    const int64_t must = least < (int64_t)most ? least : (int64_t)most;
    const uint32_t frames = take(q, q->scratch, must, most, m);
    snd_pcm_uframes_t done = 0;
    while (done < frames) {
        const uint8_t *at = (uint8_t *)q->scratch + done * q->frame_bytes;
        const snd_pcm_sframes_t n = snd_pcm_writei(q->pcm, at, frames - done);
        if (n <= 0)
            return n < 0 ? n : -EPIPE;
        done += (snd_pcm_uframes_t)n;
    }
    return (snd_pcm_sframes_t)done;
}

/* Has it kept what it was given? */
static void notice_swallowing(struct alsa_queue *q, const struct look *l, int64_t given)
{
    const bool runs = snd_pcm_state(q->pcm) == SND_PCM_STATE_RUNNING;
    const int64_t now = clock_now();
    if (q->lasts_until < now)
        q->lasts_until = now;
    q->lasts_until += alsa_queue_ns(q, given);
    if (!q->swallows && runs && given > 0)
        q->swallows = l->room == (int64_t)q->buffer &&
                      snd_pcm_avail_update(q->pcm) == (snd_pcm_sframes_t)q->buffer;
}

/* What the queue must hold to last until the next turn, frames. */
static int64_t low_water(const struct alsa_queue *q)
{
    return q->quiet >= QUIET_TURNS ? (int64_t)q->first
                                   : (int64_t)q->period + MARGIN_NS * q->rate / NS_PER_S;
}

void alsa_queue_begin(struct alsa_queue *q)
{
    q->quiet = QUIET_TURNS;
    q->given = q->taken = 0;
}

int alsa_queue_fill(struct alsa_queue *q, bool silence)
{
    struct look now;
    const int err = look(q, &now);
    if (err < 0)
        return err;
    const int64_t low = low_water(q);
    const struct look first = now;
    bool sound = false;
    for (bool more = true; more;) {
        const int64_t lacks = low - now.held;
        const int64_t least = lacks > 0 ? lacks : 0;
        const int64_t most = silence && least < now.room ? least : now.room;
        if (most <= 0)
            break;
        const struct player_moment m = moment(q, &now);
        const snd_pcm_sframes_t done = (q->mmap ? fill_mapped : fill_written)(
            q, least, (snd_pcm_uframes_t)most, silence ? NULL : &m);
        if (done < 0)
            return (int)done;
        now.held += done;
        now.room -= done;
        now.delay += alsa_queue_ns(q, done);
        more = done > 0;
        sound = sound || done > least;
    }
    q->quiet = sound ? 0 : q->quiet + 1;
    const int64_t given = now.held - first.held;
    q->taken = q->given - first.held;
    q->given += given;
    notice_swallowing(q, &first, given);
    return 0;
}

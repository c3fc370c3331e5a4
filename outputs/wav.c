/*
 * wav: a recording. Nobody listens, so what has come is gathered for a while and written at once:
 * that while is what a kill -9 can lose.
 */
#include "../src/clock.h"
#include "../src/feeder.h"
#include "../src/player.h"
#include "drivers.h"
#include "wav_file.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAV_DEFAULT_NAME "scream.wav"
#define WAV_GATHER_MS    60
#define WAV_BLOCK        (128 * 1024)
#define WAV_MOST_BLOCKS  64 /* in a turn: more than a stream's ring holds */

struct wav {
    struct output output;
    struct player *player;
    struct feeder *feeder;
    char first[PATH_MAX]; /* the file that the recording began with: constant once open */
    struct wav_file file; /* the feeder's while it runs */
    uint8_t block[WAV_BLOCK];
};

static int wav_probe(const struct output_config *config)
{
    (void)config;
    return 0;
}

static const char *name_of(const struct output_config *config)
{
    return config->device ? config->device : WAV_DEFAULT_NAME;
}

static int wav_rehearse(const struct output_config *config, char *text, size_t size)
{
    return wav_file_rehearse(name_of(config), text, size);
}

static int wav_open(struct output **out, const struct output_config *config,
                    const struct pcm_format *source, struct player *player, char *why, size_t size)
{
    struct wav *w = calloc(1, sizeof *w);
    if (!w) {
        snprintf(why, size, "out of memory");
        return -ENOMEM;
    }
    w->output.notifier = config->notifier;
    w->player = player;
    const int err = wav_file_open(&w->file, name_of(config), source, WAV_LIMIT, why, size);
    if (err < 0) {
        free(w);
        return err;
    }
    memcpy(w->first, w->file.path, sizeof w->first);
    *out = &w->output;
    return 0;
}

static int record_all(struct wav *w)
{
    int err = 0;
    for (int blocks = 0; blocks < WAV_MOST_BLOCKS && err == 0; blocks++) {
        const uint32_t n = player_take(w->player, w->block, WAV_BLOCK);
        if (n == 0)
            break;
        err = wav_file_write(&w->file, w->block, n);
    }
    return err;
}

/* Until there is sound; then until there is more of it. */
static int wait_for_sound(struct wav *w, int wake_fd)
{
    struct pollfd fds[] = {{.fd = wake_fd, .events = POLLIN},
                           {.fd = player_wake_fd(w->player), .events = POLLIN}};
    if (player_sleep(w->player) && poll(fds, 2, -1) < 0 && errno != EINTR)
        return -errno;
    if (fds[1].revents) {
        uint64_t count;
        if (read(fds[1].fd, &count, sizeof count) < 0 && errno != EAGAIN)
            return -errno;
    }
    return poll(fds, 1, WAV_GATHER_MS) < 0 && errno != EINTR ? -errno : 0;
}

static int wav_turn(struct output *o, int wake_fd)
{
    struct wav *w = (struct wav *)o;
    const int err = wait_for_sound(w, wake_fd);
    return err < 0 ? err : record_all(w);
}

static int wav_start(struct output *o)
{
    return feeder_start(&((struct wav *)o)->feeder, o, wav_turn);
}

static void wav_stop(struct output *o)
{
    struct wav *w = (struct wav *)o;
    feeder_stop(w->feeder);
    w->feeder = NULL;
}

static void wav_close(struct output *o)
{
    struct wav *w = (struct wav *)o;
    if (w)
        wav_file_close(&w->file);
    free(w);
}

static void wav_describe(const struct output *o, char *buf, size_t size)
{
    const struct wav *w = (const struct wav *)o;
    snprintf(buf, size, "WAV file '%s'", w->first);
}

const struct output_driver wav_driver = {
    .name = "wav",
    .summary = "a recording; -d FILE names it (" WAV_DEFAULT_NAME ")",
    .flags = OUTPUT_EXACT | OUTPUT_SINGLE,
    .uses = "d",
    .probe = wav_probe,
    .rehearse = wav_rehearse,
    .open = wav_open,
    .start = wav_start,
    .stop = wav_stop,
    .close = wav_close,
    .describe = wav_describe,
};

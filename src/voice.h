/*
 * A voice: one stream with the player and the output that make it heard.
 *
 * Format change, first packet, device loss and server restart are one path: stop, close, take the
 * newest format, open, start, with backoff when open fails. An output is opened for the format that
 * arrives, never for a guess. After a while without sound the output is paused, and nobody reads the
 * player until the next packet, which wakes the control thread. Control thread only.
 *
 * With `-o auto` a device is second best: it is taken when no server has answered for a while, and left
 * in a pause, when nothing is heard of it, as soon as a server answers.
 */
#ifndef SCREAM_VOICE_H
#define SCREAM_VOICE_H

#include "backoff.h"
#include "lookout.h"
#include "options.h"
#include "player.h"
#include "stream.h"
#include "telling.h"

#include <stdbool.h>
#include <stdint.h>

enum voice_state {
    VOICE_EMPTY,   /* no format has arrived */
    VOICE_CLOSED,  /* there is a format, and no output for it (yet) */
    VOICE_PLAYING, /* the output's thread reads the player */
    VOICE_PAUSED,  /* there is no sound: nobody reads the player */
    VOICE_LEAVING, /* another format waits behind the audio that is still to be heard */
};

struct voice {
    const struct options *options;
    struct notifier *notifier;
    const struct output_driver *const *table; /* output_table, or a test's */
    const struct output_driver *named;        /* the one asked for; NULL: the first that answers */
    int64_t (*clock)(void);                   /* clock_now, or a test's: after what takes time */
    struct stream stream;
    enum voice_state state;
    bool exact;               /* the output that was asked for takes every byte: none is skipped */
    uint32_t formats;         /* of the stream, up to the one being played */
    struct pcm_format format; /* of what plays, or waits for an output */
    const struct output_driver *driver; /* of `output`, or of the latest one */
    struct output *output;
    struct output_pending pending; /* what an attempt to open one has left going on */
    struct player *player;
    struct player_learnt learnt; /* of `driver`: it outlives its outputs */
    struct backoff retry;
    struct lookout lookout; /* for servers that are not there */
    struct telling telling; /* of what becomes of it */
    int64_t opened_at;
    int64_t opened_until;             /* openings are spent until then: a leaky bucket of them */
    int64_t searching;                /* since when an output is looked for */
    const struct output_driver *told; /* of what it has no use for */
    int64_t left_at;                  /* when a device was left for a server; 0: never */
    int64_t leave_by;                 /* VOICE_LEAVING: no later than this; */
    int64_t heard_at; /* and this is when the last frame is heard, 0 while it has not been read */
};

/* 0 or -errno. */
int voice_init(struct voice *v, const struct options *options, struct notifier *notifier);

/* Stops and closes all; nobody may write the stream any more. */
void voice_finish(struct voice *v);

/* The stream has begun a format (NOTIFY_FORMAT). */
void voice_format(struct voice *v, int64_t now);

/* Readable when a paused voice has to turn; -1: it is not paused. */
int voice_wake_fd(const struct voice *v);

/* Readable when a server that is waited for may have come: fills in how many of the LOOKOUT_PLACES. */
size_t voice_watch_fds(const struct voice *v, struct pollfd *fds);

/*
 * Does what is due; an output that has failed counts as due. *next: when to call again at the latest
 * (INT64_MAX: only after an event). 0, or -errno when this voice will never play again.
 */
int voice_turn(struct voice *v, int64_t now, int64_t *next);

/* Whose sound it is: an address, terminated. */
void voice_source_text(const struct voice *v, char *buf, size_t size);

/* "48 kHz 16 bit stereo from 192.168.122.50 on ..., 24 ms", terminated. */
void voice_describe(const struct voice *v, char *buf, size_t size);

#endif

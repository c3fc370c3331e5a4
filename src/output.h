/*
 * The output contract: a player becomes sound.
 *
 * A driver is one `const struct output_driver` at the bottom of its file, listed in outputs/table.c
 * in the order in which `-o auto` tries them. A pull driver calls player_fill() from its server's
 * own real-time callback; a push driver runs a feeder (feeder.h), whose thread does. Either way
 * exactly one thread reads the player between start() and the return of stop().
 */
#ifndef SCREAM_OUTPUT_H
#define SCREAM_OUTPUT_H

#include "format.h"
#include "lookout.h"
#include "notify.h"
#include "player.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum output_flags {
    OUTPUT_EXACT = 1 << 0,     /* bytes pass unaltered: the player is read by player_take() */
    OUTPUT_SINGLE = 1 << 1,    /* holds one stream only, ever */
    OUTPUT_AUTOMATIC = 1 << 2, /* `-o auto` may choose it, */
    OUTPUT_DEVICE =
        1 << 3, /* but only when no server has answered for a while: it takes the card */
};

/*
 * What a driver has begun and could not wait for: it goes on behind its back until the next probe() or
 * open() of the same voice, which sees to it. Whoever has no use for it any more abandons it: it
 * ends by itself then, and takes away what it has got. Control thread.
 */
struct output_pending {
    void *attempt; /* NULL: none */
    void (*abandon)(void *attempt);
};

/* What the user asked for. Strings are the caller's and outlive the output; NULL is the default. */
struct output_config {
    const char *device;      /* -d: alsa, sndio: device; wav: file name */
    const char *sink;        /* -s: pulse: sink; pipewire: target.object */
    const char *stream_name; /* -n: never NULL */
    bool no_connect;         /* -c: make no connections by ourselves */
    enum sample_type type;   /* what the player gives without loss: to be preferred */
    int64_t target_latency;  /* ns, how much the whole way may hold: ask the server for less */
    struct notifier *notifier;
    struct output_pending *pending; /* outlives the output; NULL: nothing may be left pending */
    struct lookout *lookout; /* an attempt that fails names what it misses (lookout.h); or NULL */
};

/* A driver's own state, whose first member this is. */
struct output {
    const struct output_driver *driver;
    struct notifier *notifier; /* raise NOTIFY_OUTPUT after `failure` is set */
    atomic_int failure;        /* 0, or the -errno that ended it; the first one stays */
};

struct output_driver {
    const char *name;    /* as in -o and OUTPUTS=, lower case */
    const char *summary; /* for --help, one line */
    unsigned flags;
    const char
        *uses; /* of the options -d -s -n -t -l -c: those that mean something to it, "sntl" */

    /* Control thread; at most 1 s. 0 if open() has a chance: the server answers, the device is
     * there. */
    int (*probe)(const struct output_config *config);

    /*
     * Optional, for an output of which a trial opening would leave something behind. Control thread. 0 and
     * in `text` what open() would come to; or -errno and why not, as open() does. Nothing is left.
     */
    int (*rehearse)(const struct output_config *config, char *text, size_t size);

    /*
     * Control thread; at most 2 s. Prepares a stream for what `source` brings, calls
     * player_set_sink() with what the server or device agreed to, and moves no audio yet.
     * On 0 *out is the caller's, to be closed by close(). On -errno nothing is left, and `why`
     * (size bytes, terminated) says in one clause what failed, naming the server or device and the
     * remedy. Of exact outputs -EPIPE (nobody reads it), -ENOTTY and -ENOTSUP are for ever; all else is
     * tried again. Exact outputs need no player_set_sink().
     */
    int (*open)(struct output **out, const struct output_config *config,
                const struct pcm_format *source, struct player *player, char *why, size_t size);

    /*
     * Control thread; at most 1.5 s. From here on the driver's own thread reads the player. 0 or -errno.
     */
    int (*start)(struct output *o);

    /* Control thread; at most 0.5 s. On return nobody reads the player. Fine if never started. */
    void (*stop)(struct output *o);

    /*
     * Optional, both or neither. There has been nothing to play for a while, and all that was has been
     * heard: the device may sleep, and nothing of ours wakes while it does.
     *
     * pause(): control thread; at most 0.5 s. On 0 nobody reads the player, what silence is still
     * queued may be thrown away, and failures are told of as before. On -errno the output has failed.
     * resume(): control thread, after pause(); at most 1.5 s. There is sound: the driver's own thread
     * reads the player again as soon as it can, within the latency of a start. 0 or -errno; may call
     * player_set_sink().
     *
     * stop() and close() may come while it is paused. An output that uses nothing while there is no
     * sound (a file, a pipe) needs neither.
     */
    int (*pause)(struct output *o);
    int (*resume)(struct output *o);

    /*
     * Optional. Control thread; at most 20 ms. The process ends: of what is in a queue of the output's
     * only the next moments are heard, dying away, and nobody reads the player any more. ns until that
     * has been heard; or -errno, when nothing has been done: then what player_end() does is heard in
     * its time, which is short enough if the queue is.
     */
    int64_t (*fade)(struct output *o);

    /* Control thread, after stop(). NULL is fine. Does not touch the player. */
    void (*close)(struct output *o);

    /* Control thread: "PulseAudio sink 'alsa_output.pci…', 48 kHz, period 5 ms", terminated. */
    void (*describe)(const struct output *o, char *buf, size_t size);
};

/* outputs/table.c: what this build has, in the order of probing, NULL at the end. */
extern const struct output_driver *const output_table[];

/* outputs/table.c: what this build lacks, and what to do before `make` (NULL: it is not in this version). */
struct output_absent {
    const char *name, *remedy;
};
extern const struct output_absent output_absent[];

/* The driver of that name, or NULL. */
const struct output_driver *output_find(const char *name);

/* Any thread but a real-time one, though a server's own callback may: records the first failure,
 * wakes the control thread. */
void output_fail(struct output *o, int error);

#endif

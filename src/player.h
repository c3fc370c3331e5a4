/*
 * The player: the real-time path from a stream to an output's buffer.
 *
 * It decodes, remaps channels and converts, starts each sound at exactly the target latency, fades
 * when the stream runs dry, and drops what is too late. One player serves one stream, in one
 * format, to one output; at a format change both are made anew.
 *
 * Latency is counted from the arrival of a frame (on the stream's arrival line, arrival.h) to the
 * moment the output says that it is heard.
 */
#ifndef SCREAM_PLAYER_H
#define SCREAM_PLAYER_H

#include "chmap.h"
#include "format.h"
#include "servo.h"
#include "slack.h"

#include <stdbool.h>
#include <stdint.h>

struct player;
struct stream;

/* What a player finds out about the guest's clock, the output's clock and their lateness. */
struct player_learnt {
    bool anything;
    struct servo servo;
    struct slack slack;
};

struct player_config {
    struct player_learnt
        *learnt;           /* goes on from there, and leaves it there; NULL: nothing is kept */
    struct stream *stream; /* outlives the player */
    struct pcm_format source;
    int64_t target; /* ns: the latency to hold; 0: the lowest that the arrivals allow */
    int64_t
        bound;  /* ns: more latency than this is dropped, if what arrives can be played with it */
    bool steer; /* follow the guest's clock by resampling; else frames pass at ratio 1, unaltered */
};

/* What the output takes. */
struct player_sink {
    enum sample_type type;
    uint32_t rate;    /* Hz; equals the source's until there is a resampler */
    struct chmap map; /* speakers in the buffer's order */
    uint32_t
        quantum; /* frames: the largest fill to be expected as a rule, a prefill's first guess */
    bool queued; /* it has a queue that player_pour() fills; else player_fill() fills its periods */
};

/* The moment at which an output takes frames, and when the first of them will be heard. */
struct player_moment {
    int64_t now;   /* ns, CLOCK_MONOTONIC */
    int64_t delay; /* ns from there until it is heard, negative when that time has passed */
    int64_t held;  /* ns of that are in the queue of a `queued` sink, else 0 */
    uint32_t
        period; /* frames that it takes from there at a time as a rule; 0: the sink's quantum */
};

/* Control thread. 0 or -errno; what it needs is allocated here. */
int player_open(struct player **out, const struct player_config *config);
/* Control thread, when nobody reads it. NULL is fine. */
void player_close(struct player *p);

/* Control thread: ns of sound that the stream can hold for it in this format; a longer target is cut. */
int64_t player_most_stored(const struct player *p);

/* Control thread, from an output's open() or while it is stopped. 0, or -EINVAL for a sink that it
 * cannot serve. */
int player_set_sink(struct player *p, const struct player_sink *sink);

/*
 * The output's real-time thread: fills exactly `frames` frames at dst, with silence where there is
 * no sound. now: CLOCK_MONOTONIC, ns, or a little earlier where the output knows when its period began;
 * delay: ns from there until the first of these frames is heard, negative when that time has passed.
 */
void player_fill(struct player *p, void *dst, uint32_t frames, int64_t now, int64_t delay);

/*
 * For outputs with a queue of their own that is filled ahead of time: what has come goes into the queue
 * at once, so that one store serves against late arrivals and late requests alike. Gives what is
 * ready, with silence before it where its time has not come, at least `least` frames and at most
 * `most`; returns how many. `least` is what keeps the queue from running dry: only then is silence put
 * where sound is late. held: ns of `delay` that are in the queue; the rest lies behind it. Negative,
 * when the output has run dry and time goes on.
 */
uint32_t player_pour(struct player *p, void *dst, uint32_t least, uint32_t most,
                     const struct player_moment *m);

/* The output's thread: its queue ran dry although frames came in time. */
void player_ran_dry(struct player *p);

/*
 * Any thread: time (CLOCK_MONOTONIC, ns) since when there has been nothing to be played and all that
 * was has been heard; PLAYER_BUSY while there is something, or nobody has asked yet.
 */
#define PLAYER_BUSY INT64_MAX
int64_t player_resting(const struct player *p);

/*
 * Control thread, while nobody reads it: it is about to be read again, because sound has come. That
 * one is heard from its first frame on, however long the output takes to resume (within the bound):
 * what latency is too much then is given back only when a short sound would be over.
 */
void player_resume(struct player *p);

/*
 * The output's thread: what it has given is lost, and no fault of its store (the output went to another
 * device). The sound begins anew at the next fill, at the latency of a start.
 */
void player_break(struct player *p, int64_t now);

/*
 * For outputs flagged OUTPUT_EXACT: the feeder's thread; copies at most `max` bytes of the source's
 * own, and says how many: whole frames, never silence. 0 when there are none.
 */
uint32_t player_take(struct player *p, void *dst, uint32_t max);

/*
 * The feeder's thread, when player_take() found nothing: true if there is still nothing, and then
 * player_wake_fd() becomes readable when there is something (read it empty with one 8-byte read).
 */
bool player_sleep(struct player *p);
int player_wake_fd(const struct player *p);

/* The output's thread: input frames per output frame at present, 1 when it does not steer. */
double player_ratio(const struct player *p);

/*
 * Control thread: there will be no more. What plays dies away in a fade, at the next request; silence
 * from then on. It is heard when the output's delay has passed. Of no effect on player_take().
 */
void player_end(struct player *p);

/*
 * Any thread: the last frame of this format has been read, and another format waits. The control
 * thread then waits for the output's own delay to pass and makes both anew.
 */
bool player_finished(const struct player *p);

#endif

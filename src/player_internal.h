/*
 * The player's inside: player_open.c (its making), player.c (its states), player_sound.c (the sound),
 * player_time.c (when), player_steer.c (how fast), player_exact.c (bytes as they are).
 */
#ifndef SCREAM_PLAYER_INTERNAL_H
#define SCREAM_PLAYER_INTERNAL_H

#include "clock.h"
#include "player.h"
#include "resample.h"
#include "sample.h"
#include "stream.h"

#include <stdatomic.h>

#define FEED  512 /* input frames taken at a time */
#define BLOCK 256 /* frames converted at a time: small enough for the stack and the cache */

#define FADE_NS  (5 * NS_PER_MS) /* a crossfade, a fade-in after an underrun, a tail */
#define FADE_MAX 960             /* frames: the same at 192 kHz */

/*
 * The automatic target, on top of the output's quantum: what arrivals lag behind, and slack for threads
 * that are late. A guest wakes every 10 ms and sends what packets are full, or every 20 ms with a chunk
 * of shared memory.
 */
#define TICKS_PER_S  100
#define CHUNK_LAG_NS (NS_PER_MS / 4) /* it is looked for, and found a little late */
#define SLACK_NS     (14 * NS_PER_MS)
#define QUEUE_SLACK_NS                                                                             \
    (35 * NS_PER_MS / 2) /* where it is all there is: the output's queue has none of its own */
#define RESERVE_NS (5 * NS_PER_MS / 2) /* what is kept in such a queue, until it is known */
#define MARGIN_NS  (1 * NS_PER_MS)
#define BEGINS_NS                                                                                  \
    (25 * NS_PER_MS) /* before its time a sound is given to a queue: threads may be late */

#define FRESH_S  20.0
#define SETTLE_S 3.0 /* its target is where the sound has begun until then */

#define QUANTUM_SPAN_NS (2 * NS_PER_S)

/* Depth beyond the target that is dropped, if the ring really holds so much more than the target.
 */
#define EXCESS_NS      (15 * NS_PER_MS)
#define EXCESS_FILL_NS (10 * NS_PER_MS)
#define EXCEEDS_FOR_NS (60 * NS_PER_MS) /* and for so long, */
#define RESUMED_FOR_NS                                                                             \
    (800 * NS_PER_MS) /* or so long after a pause: short sounds are heard whole */

struct player_fade {
    uint32_t left; /* frames of it still to play */
    bool from_old; /* it is a crossfade, from `old`; else a fade-in */
};

struct player {
    /* immutable once started */
    struct player_config config;
    struct player_sink sink;
    struct chmix mix;
    enum sample_type source_type;
    uint32_t frame_bytes;      /* of the source */
    uint32_t sink_frame_bytes; /* of the output */
    uint32_t fade_frames;
    uint32_t room;  /* frames: most of what the ring holds, so that there is always some left */
    uint32_t flush; /* frames of silence that bring out what the resampler holds */
    bool plain;     /* bytes can be copied: same type, same channels, and no steering */
    struct player_learnt *learnt; /* the caller's, or its own */

    /* the reading thread's */
    bool playing;
    uint32_t quantum;            /* frames: a fill, as a rule */
    uint32_t reserve;            /* frames beyond it that the output keeps in its queue */
    uint32_t least;              /* frames: the smallest fill of the present span, 0: none yet */
    uint32_t spanned;            /* frames of the present span */
    struct arrival_line line;    /* the latest one read */
    int64_t dry_at;              /* time when the sound last ended */
    uint32_t dry_epoch;          /* of the line when the sound last ended; */
    uint32_t dry_serial;         /* 0: none did, or it has been judged */
    bool overrun;                /* since then: the ring had no room for what came next */
    int64_t used;                /* ns of the slack that the latest fill needed */
    uint32_t losses;             /* of the line, that have been noted, */
    bool lost;                   /* and not made up for yet */
    bool misled;                 /* by losses that looked late, what plays began deeper */
    int64_t lag;                 /* of the line, that has been noted */
    struct player_fade fade;     /* of the sound that plays, or will */
    uint32_t tail_left;          /* frames of a tail still to play, */
    struct player_fade tail;     /* and the fade that the sound it ends was in */
    struct resampler *resampler; /* NULL: it does not steer */
    double target;               /* frames of depth that it steers for */
    double sinking;     /* frames: where it should be, coming down no faster than that one does */
    bool moving;        /* that one, to where it should be */
    double settling;    /* s until an output that has just begun tells its delay truly */
    double lacking;     /* s for which there has been less than can be steered for */
    int64_t exceeds_at; /* time since when there has been too much; 0: there is not */
    bool resumes;       /* what plays, or will, has ended a pause of the output */
    double fresh;       /* s in which a sound that is too late may hasten */
    double beyond;      /* ns: the output's delay behind its queue, low-passed: rough to steer by */
    struct player_learnt own;
    uint32_t noise; /* of the dither */
    uint8_t last[PCM_MAX_FRAME_BYTES];
    float old[FADE_MAX * PCM_MAX_CHANNELS];

    /* any thread */
    atomic_bool finished;
    atomic_bool ending;
    _Atomic int64_t resting; /* since when, or PLAYER_BUSY */
};

/*
 * Frames ready, edges that mean nothing to a listener passed; what plays ends at them, for what follows
 * has a time of its own.
 */
uint64_t player_frames_ready(struct player *p);

/* The reading thread goes in, or comes out: for whoever watches that it comes back. */
void player_pass(const struct player *p);

/* At most `frames` (no more than BLOCK) out of `ready` ones of the stream to dst; how many. */
uint32_t player_play(struct player *p, uint8_t *dst, uint32_t frames, uint64_t ready);

/* So many frames of what is left of the last sound's tail, then silence; the end of them. */
uint8_t *player_play_nothing(struct player *p, uint8_t *dst, uint32_t frames);

/*
 * Drops so many of the `ready` frames. The next ones of the sound being left are kept for a crossfade
 * into what follows.
 */
void player_skip(struct player *p, uint64_t frames, uint64_t ready);

/*
 * Before sound begins: frames of silence until it does, PLAYER_NOT_YET if that is not known. Drops
 * what has waited for the output for too long.
 */
#define PLAYER_NOT_YET UINT64_MAX
uint64_t player_wait_before(struct player *p, uint64_t ready, const struct player_moment *m);

/* Sound that goes on begins so many frames later than it should: those are left out, if they are there. */
void player_pass_over(struct player *p, uint64_t frames);

/* What begins next is no sound's own beginning. */
static inline void player_fade_in(struct player *p)
{
    p->fade = (struct player_fade){.left = p->fade_frames};
}

static inline int64_t player_frames(const struct player *p, int64_t ns)
{
    return ns / NS_PER_S * p->config.source.rate + ns % NS_PER_S * p->config.source.rate / NS_PER_S;
}

/* ns behind the output's queue. */
static inline int64_t player_beyond(const struct player_moment *m)
{
    return m->delay - m->held;
}

/* Frames that the ring and the output's queue must hold, on the line, when a fill begins. */
int64_t player_target_depth(const struct player *p, int64_t delay);

/* Frames between the next one to be heard and those that the line says have arrived by now. */
double player_depth(const struct player *p, int64_t now);

/* The next frame played follows no other, at a depth that is set anew. */
void player_settle(struct player *p);

/* Nothing has been learnt yet: where it begins. */
void player_learn_first(struct player_learnt *l, bool queued);

/* The sink is known: what is learnt goes on, or begins. */
void player_learn(struct player *p);

/* While it plays: at least so many frames are to be given to an output with a queue. */
void player_note_reserve(struct player *p, uint32_t least, const struct player_moment *m);

/* The line has been read: packets that it knows to be lost were not late. */
void player_note_line(struct player *p);

/* While it plays: what is in store at a fill of so many frames. */
void player_note_store(struct player *p, uint64_t ready, uint32_t frames,
                       const struct player_moment *m);

/*
 * While it plays, the line just read: frames to skip now, so that at least `least` are left, 0 as a rule;
 * then at least the length of a fade.
 */
uint64_t player_excess(struct player *p, uint64_t ready, uint32_t least,
                       const struct player_moment *m);

/*
 * While it plays and steers, the line just read: sets the ratio for the next so many frames. False: the
 * depth has fallen by more than can be steered, as when packets were lost; what plays has to begin anew.
 */
bool player_steer(struct player *p, uint32_t frames, const struct player_moment *m);

/* Puts down for the status what the next frame's latency is. */
void player_note_latency(struct player *p, const struct player_moment *m);

#endif

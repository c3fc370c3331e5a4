/* What the runs of a recording mean: dropouts, losses, channels, latency. Pure but for memory. */
#ifndef SCREAM_LISTEN_JUDGE_H
#define SCREAM_LISTEN_JUDGE_H

#include "listen_track.h"

enum hole_kind {
    HOLE_GAP,     /* silence */
    HOLE_FADE,    /* goes on in time, but fainter or altered */
    HOLE_SKIP,    /* sent frames were left out */
    HOLE_REPEAT,  /* sent frames were heard again */
    HOLE_FOREIGN, /* something that was not sent */
    HOLE_CHANGE,  /* between two segments: no dropout */
};

/* What lies between two runs. */
struct hole {
    enum hole_kind kind;
    uint64_t recorded, frames; /* [recorded, + frames) */
    uint64_t silent;           /* so many of them are silence */
    int64_t sent;              /* sent frames passed over; negative: heard again */
};

/* In ms; for frames that matched, of segments with a time. */
struct latency {
    bool known;
    double median, p5, p95, least, most;
    double slope; /* ms a minute */
};

/* Of runs that were matched resampled. */
struct pacing {
    bool known;
    double mean,
        sd; /* ppm: sent frames a recorded one against the rates' names, a second at a time */
    double least, most;
    double
        fidelity; /* dB, the median block's: what differs from what was sent, against the sound */
};

struct segment_heard {
    bool matchable;   /* at a rate that can be matched */
    uint64_t matched; /* frames */
    double sound;     /* s of sound above the threshold in its time; 0 without times */
    double length;    /* s, 0: unknown */
};

struct verdict {
    uint64_t matched;
    uint64_t dropouts, dropout_frames; /* all holes but changes */
    uint64_t gaps, gap_frames;         /* those with silence */
    uint64_t lost, repeated;           /* sent frames, between first and last heard */
    uint64_t silences, silent_frames;  /* 1 ms or more within the sound, matched or not */
    uint64_t first_sound, end_of_sound;
    double level[TRACK_CHANNELS];     /* dBFS of the mean power within the sound */
    int8_t misplaced[TRACK_CHANNELS]; /* 1: holds what it should not, see held */
    int8_t held[TRACK_CHANNELS];      /* what it held instead, most recently */
    bool resampled;                   /* how it was matched */
    struct pacing pacing;
    struct latency latency, *run_latency; /* one for each run */
    struct hole *holes;
    size_t n_holes;
    struct segment_heard *segments; /* one for each segment */
};

/* 0 or -ENOMEM; free by judge_finish() either way. */
int judge(struct verdict *v, const struct track_request *request, const struct run_list *runs);
void judge_finish(struct verdict *v);

const char *hole_name(enum hole_kind kind);

#endif

/*
 * What is simulated: a guest, an output, and what happens to them, in words ("udp n=480 ppm=500
 * stall=250@60"), so that a case that fails in a test can be pasted behind `make simulate CASE=`.
 */
#ifndef SCREAM_SCENARIO_H
#define SCREAM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum happening_kind {
    HAPPENS_STALL,  /* the guest sends nothing for `amount` ms, then all at once */
    HAPPENS_PAUSE,  /* nothing is played for `amount` ms */
    HAPPENS_STEP,   /* the guest's clock changes by `amount` ppm */
    HAPPENS_FORMAT, /* the guest goes on at `amount` Hz */
    HAPPENS_FREEZE, /* the output stands still for `amount` ms */
    HAPPENS_KINDS
};

struct happening {
    enum happening_kind kind;
    double amount;
    double at;    /* s after the beginning */
    double every; /* s, 0: once */
};

#define SCENARIO_HAPPENINGS 8

struct scenario {
    bool ivshmem;    /* chunks of 20 ms, else packets */
    bool queued;     /* the output has a queue (player_pour), else periods (player_fill) */
    double period;   /* frames that the output takes at a time */
    double rate;     /* Hz */
    double width;    /* bits: 16 or 32 */
    double guest;    /* ppm that the guest's clock is fast */
    double output;   /* ppm that the output's is */
    double delay;    /* ms behind the period, or behind the queue */
    double callback; /* ms: requests come up to so much late, and do not know */
    double wake;     /* ms: bursts come up to so much late, each of them */
    double late;     /* part of the bursts that are late by up to... */
    double up_to;    /* ...this, ms */
    double loss;     /* part of the packets */
    double
        spikes; /* a minute: wake-ups of each thread that come late, by 5 to 14 ms, some by more */
    double slack;    /* ms that are kept against lateness at first; 0: what the receiver keeps */
    double keeps;    /* it never gives any of that back */
    double exact;    /* it does not follow the clocks */
    double target;   /* ms: -t; 0: auto */
    double bound;    /* ms: -l */
    double seconds;  /* of it all */
    double settle;   /* s that are not judged */
    double resettle; /* s after something has happened in which latency and ratio are not judged */
    double seed;
    struct happening happens[SCENARIO_HAPPENINGS];
    size_t happenings;
};

void scenario_init(struct scenario *s);

/* Takes words; false: `why` names the wrong one. */
bool scenario_take(struct scenario *s, const char *words, char *why, size_t size);

/* The words that differ from scenario_init()'s. */
void scenario_text(const struct scenario *s, char *buf, size_t size);

/* s that it lasts, 0 for a step. */
double happening_seconds(const struct happening *h);
const char *happening_name(enum happening_kind kind);

/* All words, with their defaults. */
void scenario_help(FILE *f);

#endif

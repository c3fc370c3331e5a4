/*
 * What this process does, in a line for systemd, and whether it deserves to have its watchdog fed.
 * Control thread only.
 */
#ifndef SCREAM_STATUS_H
#define SCREAM_STATUS_H

#include "ingest.h"
#include "service.h"
#include "voice.h"
#include "watchdog.h"

/* What there is to be told of. */
struct status_view {
    const struct receiver *receiver; /* NULL: it could not be opened */
    const char *waiting;             /* what for, a clause; "": nothing is missing */
    struct ingest *ingest;           /* the receiver's; NULL: it has none */
    const struct voice *voice;
};

struct status {
    int64_t (*clock)(
        void); /* clock_now, or a test's: what came before it in a turn may have taken long */
    struct service service;
    struct watchdog watchdog;
    bool suspect;    /* a thread has not moved since the look before */
    bool stuck;      /* a thread was found so, and that has been logged */
    bool playing;    /* there is an output: as last told */
    bool moving;     /* and sound has come out of the player since the last look */
    uint64_t frames; /* played by then */
    int64_t look_at; /* the next look */
    int64_t tell_at; /* figures that have changed are told no sooner */
};

void status_init(struct status *s, int64_t (*clock)(void));

/* At the end of each turn of the control loop. *next: lowered to when the next turn has to be. */
void status_turn(struct status *s, const struct status_view *view, int64_t *next);

/* The line: "playing 48 kHz 16 bit stereo from 192.168.122.50, 24 ms, +31 ppm, on ...", terminated. */
void status_text(const struct status *s, const struct status_view *view, char *buf, size_t size);

#endif

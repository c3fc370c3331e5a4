/*
 * The receiver's keeping: opens it, with backoff while that fails, starts the thread that reads it, sees to
 * what comes late and goes away, and says what is waited for, or that nothing has come. Control thread only.
 */
#ifndef SCREAM_RECEPTION_H
#define SCREAM_RECEPTION_H

#include "backoff.h"
#include "ingest.h"
#include "options.h"
#include "telling.h"

#include <stdbool.h>
#include <stdint.h>

struct reception {
    const struct options *options;
    const struct receiver_driver *driver;
    struct stream *stream;
    struct notifier *notifier;
    struct receiver_counters counters;
    struct receiver *receiver; /* NULL: it is not open, */
    struct ingest *ingest;     /* and nor is this */
    struct backoff retry;
    int64_t opened_at;      /* likewise; 0: it never was */
    int64_t crowd_at;       /* when the ingest is to be tended */
    struct telling telling; /* of its state: */
    char waiting[256];      /* what it was last said to wait for, "": it listens; */
    bool otherwise;         /* but since then something else has been said of it */
    int64_t silent_hint;    /* when to say that nothing has come, BACKOFF_NEVER once it has; */
    int64_t hint_step;      /* it grows */
};

/* Nothing is opened yet. The stream and the notifier outlive it. */
void reception_init(struct reception *r, const struct options *options, struct stream *s,
                    struct notifier *n);

/* On return nobody writes the stream. */
void reception_finish(struct reception *r);

/*
 * Does what is due; NOTIFY_RECEIVER and a readable reception_watch_fd() count as due. *next: when to call again at
 * the latest (INT64_MAX: only after an event). True: it has said that nothing has come, and what was dropped says
 * why.
 */
bool reception_turn(struct reception *r, int64_t now, int64_t *next);

/* -1: there is nothing to be watched. */
int reception_watch_fd(const struct reception *r);

/* What for, a clause; "": nothing is missing. Valid until the next turn. */
const char *reception_waiting(const struct reception *r);

#endif

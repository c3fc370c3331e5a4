/* When to try again what failed: soon at first, then rarely, once a second as a rule. Pure. */
#ifndef SCREAM_BACKOFF_H
#define SCREAM_BACKOFF_H

#include "clock.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BACKOFF_FIRST_NS (100 * NS_PER_MS)
#define BACKOFF_MOST_NS  NS_PER_S
#define BACKOFF_NEVER    INT64_MAX

struct backoff {
    int64_t due;   /* time of the next try; 0: at once; BACKOFF_NEVER: none is wanted */
    int64_t most;  /* ns: the longest wait; 0: BACKOFF_MOST_NS */
    int64_t step;  /* ns to wait after the next failure; 0: the first */
    char why[256]; /* the last reason told, so that each is told once */
};

/* Try at once, the next failure being the first again. */
static inline void backoff_reset(struct backoff *b)
{
    b->due = 0;
    b->step = 0;
    b->why[0] = '\0';
}

/* It failed for this reason: true if the user has not been told yet. */
static inline bool backoff_failed(struct backoff *b, int64_t now, const char *why)
{
    const bool news = strcmp(b->why, why) != 0;
    b->step = b->step == 0 ? BACKOFF_FIRST_NS : 2 * b->step;
    const int64_t most = b->most ? b->most : BACKOFF_MOST_NS;
    if (b->step > most)
        b->step = most;
    b->due = now + b->step;
    snprintf(b->why, sizeof b->why, "%s", why);
    return news;
}

#endif

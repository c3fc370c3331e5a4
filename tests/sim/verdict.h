/* What a trace says about a scenario: the figures that the design's gates are about. */
#ifndef SCREAM_VERDICT_H
#define SCREAM_VERDICT_H

#include "scenario.h"
#include "trace.h"

#define VERDICT_RECOVERY_S  1.0 /* what is heard so soon after something has happened is its doing */
#define VERDICT_RECOVERY_MS 5.0 /* a latency this near to what it was has come back */

struct verdict {
    /* after `settle`, but not while something happens, and `resettle` after it */
    double low, p5, median, p95, high; /* ms: latency */
    double ratio, ratio_sd;            /* ppm off 1 */
    double ratio_off;                  /* ppm: from what the clocks make it; NaN: they changed */
    unsigned dropouts;                 /* silences and jumps */
    double partly;                     /* s at neither full level nor silence */

    /* what happened */
    unsigned happened;
    unsigned excused; /* dropouts while and just after it did */
    double recovery;  /* s until sound and latency were back, at most; INFINITY: never */
    double moved;     /* ms that the latency was off by then, at most */

    unsigned clicks; /* from the first frame on: nothing but a lost packet excuses one */

    double latency_less; /* ms: the median, less the period and what lies behind it */
};

void verdict_of(struct verdict *v, const struct scenario *s, const struct trace *t);

/* In lines of `name  value unit`. */
void verdict_print(const struct verdict *v, FILE *f);

#endif

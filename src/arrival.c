#include "arrival.h"

#include "clock.h"
#include "format.h"

void arrival_init(struct arrival *a, uint32_t rate)
{
    *a = (struct arrival){.rate = rate};
}

static int64_t lowest(const struct arrival *a)
{
    return a->low[0] < a->low[1] ? a->low[0] : a->low[1];
}

static void anchor(struct arrival *a, int64_t t, int64_t x)
{
    a->anchored = true;
    a->window_start = t;
    a->low[0] = a->low[1] = x;
}

/* The line moves to where the sound resumed; a burst that catches up moves it back. */
static void suspect_pause(struct arrival *a, int64_t t, int64_t x)
{
    a->before_pause = lowest(a);
    a->pause_settled = t + ARRIVAL_STALL_NS;
    a->epoch++;
    anchor(a, t, x);
}

static void settle_pause(struct arrival *a, int64_t t, int64_t x)
{
    if (x - a->before_pause < ARRIVAL_SHIFT_NS) { /* it was a stall: the old line holds */
        a->epoch--;
        anchor(a, t, a->before_pause < x ? a->before_pause : x);
        a->pause_settled = 0;
    } else if (t > a->pause_settled) {
        a->pause_settled = 0;
    }
}

/* Just before a burst, unless it ended a stall: no buffer should grow to outlast those. */
static void peak_lag(struct arrival *a, int64_t t, int64_t since)
{
    if (since < ARRIVAL_BURST_NS || since > ARRIVAL_PAUSE_NS)
        return;
    const int64_t behind = t - pcm_frames_ns(a->frames, a->rate) - lowest(a);
    a->lag -= a->lag * since / ARRIVAL_LAG_DECAY_NS;
    if (behind > a->lag)
        a->lag = behind;
}

void arrival_add(struct arrival *a, int64_t t, uint64_t frames)
{
    const int64_t x = t - pcm_frames_ns(frames, a->rate);
    if (!a->anchored) {
        anchor(a, t, x);
    } else {
        const int64_t since = t - a->last;
        if (since > ARRIVAL_PAUSE_NS && x - lowest(a) > ARRIVAL_SHIFT_NS)
            suspect_pause(a, t, x);
        else if (a->pause_settled)
            settle_pause(a, t, x);
        if (!a->pause_settled)
            peak_lag(a, t, since);
    }
    if (t - a->window_start > ARRIVAL_WINDOW_NS) {
        a->window_start = t;
        a->low[1] = a->low[0];
        a->low[0] = x;
    } else if (x < a->low[0]) {
        a->low[0] = x;
    }
    a->last = t;
    a->frames = frames;
}

struct arrival_line arrival_line(const struct arrival *a)
{
    return (struct arrival_line){
        .time = lowest(a) + pcm_frames_ns(a->frames, a->rate),
        .frame = a->frames,
        .lag = a->lag,
        .epoch = a->epoch,
    };
}

int64_t arrival_line_at(const struct arrival_line *line, uint32_t rate, int64_t t)
{
    const int64_t since = t - line->time;
    const int64_t s = since / NS_PER_S, ns = since % NS_PER_S;
    return (int64_t)line->frame + s * rate + ns * rate / NS_PER_S;
}

#include "ear.h"

#include "../../src/clock.h"

#include <math.h>

#define LOOKS_PER_S 1000
#define WHOLE       1e-3 /* a level this near, relative, is the full one */
#define SILENT      1e-3
#define FADE_S                                                                                     \
    2e-3 /* a fade from nothing takes longer, one from a sound to its opposite twice that */
#define SEAM_S  1e-3             /* a resampler spreads it out no further */
#define JUMP_MS 0.3              /* a latency that changes so much from one look to the next... */
#define JUMP_NS (10 * NS_PER_MS) /* ...once in so long */

void ear_init(struct ear *e)
{
    *e = (struct ear){.quiet = true};
    ear_forget(e);
}

void ear_forget(struct ear *e)
{
    e->heard = (struct heard){.low = INFINITY, .high = -INFINITY};
}

void ear_turn_away(struct ear *e)
{
    e->begun = false;
    e->known = false;
    e->quiet = true;
    e->left = e->right = 0;
}

/* Which frame is it, and how long ago did it come to be? */
static void look(struct ear *e, const struct guest *g, float left, float right, double at)
{
    const double angle = atan2(left, right) / (2 * M_PI);
    const double place = (angle < 0 ? angle + 1 : angle) * g->format.rate;
    const double latency = guest_age(g, place, at) / NS_PER_MS;
    if (e->known && fabs(latency - e->latency) > JUMP_MS) {
        e->heard.jumps += at - e->jumped_at > JUMP_NS;
        e->jumped_at = at;
    }
    e->latency = latency;
    e->known = true;
    e->heard.low = fmin(e->heard.low, latency);
    e->heard.high = fmax(e->heard.high, latency);
    e->heard.sum += latency;
    e->heard.looks++;
}

static void judge_level(struct ear *e, double power)
{
    const double full = GUEST_LEVEL * GUEST_LEVEL;
    e->whole = fabs(power - full) < 2 * WHOLE * full;
    const bool quiet = power < SILENT * SILENT * full;
    e->heard.gaps += quiet && !e->quiet && e->begun;
    e->quiet = quiet;
    e->known &= !quiet;
    e->heard.silent += quiet;
    e->heard.partly += !quiet && !e->whole;
    e->begun |= e->whole;
    if (e->whole)
        e->heard.off = fmax(e->heard.off, fabs(sqrt(power) - GUEST_LEVEL));
}

/* A step from a frame to the next one: the level of both is that of a fade, or it is a click. */
static void judge_step(struct ear *e, float left, float right, double most, uint32_t seam)
{
    const double dl = left - e->left, dr = right - e->right;
    if (e->seam_left > 0)
        e->seam_left--;
    if (dl * dl + dr * dr <= most * most)
        return;
    if (fabs(hypot(left, right) - hypot(e->left, e->right)) > most)
        e->heard.clicks++;
    else if (e->seam_left == 0)
        e->heard.seams++;
    e->seam_left = seam;
}

void ear_hear(struct ear *e, const struct guest *g, const float *x, uint32_t frames, double at,
              double frame_ns)
{
    const double step = GUEST_LEVEL / FADE_S * frame_ns / NS_PER_S;
    const uint32_t seam = (uint32_t)(SEAM_S * NS_PER_S / frame_ns);
    for (uint32_t i = 0; i < frames; i++) {
        const float left = x[2 * i], right = x[2 * i + 1];
        judge_step(e, left, right, step, seam);
        e->left = left;
        e->right = right;
        judge_level(e, (double)(left * left + right * right));
        if (e->until_look > 0)
            e->until_look--;
        else if (e->whole && g) {
            look(e, g, left, right, at + i * frame_ns);
            e->until_look = g->format.rate / LOOKS_PER_S;
        }
    }
    e->heard.frames += frames;
}

#include "guest.h"

#include "../../src/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TICK_NS        (10 * NS_PER_MS)
#define TICKS_A_MINUTE 6000.0
#define SOFT_S         8e-3
#define LOOK_LATE_NS   (100 * NS_PER_US) /* a sleeping thread wakes up so much late at most */

static double frame_ns(const struct guest *g)
{
    return NS_PER_S / (g->format.rate * (1 + g->ppm * 1e-6));
}

/* From the next frame to be sent on: the frames counted so far came to be until `now`. */
static void draw_line(struct guest *g, double now)
{
    const struct guest_line line = {
        .from = g->sent, .zero = now - (double)g->counted * frame_ns(g), .frame = frame_ns(g)};
    g->lines[++g->newest % GUEST_LINES] = line;
}

/* Sample i of that format, of a sine where i is even, of the cosine where it is odd. */
static void put(const struct guest *g, uint8_t *pcm, uint64_t i, uint64_t frame, double level)
{
    const double angle = 2 * M_PI * (double)(frame % g->format.rate) / g->format.rate;
    const double x = level * (i % 2 ? cos(angle) : sin(angle));
    if (g->format.width == 16)
        ((int16_t *)(void *)pcm)[i] = (int16_t)lrint(32768 * x);
    else
        ((int32_t *)(void *)pcm)[i] = (int32_t)lrint(2147483647.0 * x);
}

/* A second of sound in the format's bytes, so that any packet is one piece of it. */
static void render(struct guest *g)
{
    const uint32_t frames = g->format.rate + g->grain, bytes = pcm_frame_bytes(&g->format);
    free(g->sound);
    free(g->soft);
    g->sound = malloc((size_t)frames * bytes);
    g->soft = malloc((size_t)g->grain * bytes);
    if (!g->sound || !g->soft)
        abort();
    for (uint32_t i = 0; i < 2 * frames; i++)
        put(g, g->sound, i, i / 2, GUEST_LEVEL);
}

/* The packet of `grain` frames that is sent next. */
static const uint8_t *packet(struct guest *g)
{
    const double rises = SOFT_S * g->format.rate;
    if ((double)(g->sent - g->begins) > rises)
        return g->sound + g->sent % g->format.rate * (size_t)pcm_frame_bytes(&g->format);
    for (uint64_t i = 0; i < 2 * (uint64_t)g->grain; i++) {
        const uint64_t frame = g->sent + i / 2;
        put(g, g->soft, i, frame, GUEST_LEVEL * fmin((double)(frame - g->begins) / rises, 1));
    }
    return g->soft;
}

static void begin(struct guest *g, double now, uint32_t rate)
{
    g->format = (struct pcm_format){
        .rate = rate, .width = (uint8_t)g->scenario->width, .channels = 2, .mask = 3};
    g->grain = g->scenario->ivshmem ? rate / 50 : SCREAM_PAYLOAD / pcm_frame_bytes(&g->format);
    g->tick_rest = 0;
    g->counted = g->sent = g->published = g->begins = 0;
    g->first_line = g->newest + 1;
    draw_line(g, now);
    render(g);
    stream_begin(g->stream, &g->format, (struct source_id){0});
    stream_commit(g->stream);
}

/* When what is counted at the next wake-up is sent: never before what has been sent already. */
static void expect(struct guest *g)
{
    const struct scenario *s = g->scenario;
    const double wake = s->wake * NS_PER_MS;
    double at = g->tick_at + TICK_NS / (1 + g->ppm * 1e-6);
    at += dice_part(&g->dice) * wake;
    if (dice_part(&g->dice) < s->late)
        at += dice_part(&g->dice) * s->up_to * NS_PER_MS;
    if (s->spikes > 0 && !s->ivshmem) /* the receiver's thread; it does not know */
        at += dice_spike(&g->dice, TICKS_A_MINUTE / s->spikes);
    g->next = fmax(g->next, at);
}

void guest_init(struct guest *g, const struct scenario *s, struct stream *stream, double now)
{
    *g = (struct guest){.scenario = s, .stream = stream, .ppm = s->guest, .tick_at = now};
    g->dice.state = (uint64_t)s->seed;
    g->look = INFINITY;
    if (s->ivshmem) {
        shm_pace_init(&g->pace, (int64_t)now);
        g->look = now;
    }
    begin(g, now, (uint32_t)s->rate);
    expect(g);
}

void guest_finish(struct guest *g)
{
    free(g->sound);
    free(g->soft);
}

double guest_next(const struct guest *g)
{
    return fmin(fmax(g->next, g->stalled_until), g->look);
}

/* What is full; how many. */
static int send_until(struct guest *g, uint64_t end, int64_t now)
{
    const uint32_t bytes = g->grain * pcm_frame_bytes(&g->format);
    int sent = 0;
    for (; g->sent + g->grain <= end; g->sent += g->grain, sent++)
        if (g->scenario->loss == 0 || dice_part(&g->dice) >= g->scenario->loss)
            stream_write(g->stream, packet(g), bytes, now);
        else
            g->lost++;
    if (sent > 0)
        stream_commit(g->stream);
    return sent;
}

static void wake_up(struct guest *g, double now)
{
    g->next = now;
    g->tick_at += TICK_NS / (1 + g->ppm * 1e-6);
    if (g->tick_at > g->paused_until) {
        g->tick_rest += g->format.rate; /* 11025 Hz have no whole frames a tick */
        g->counted += g->tick_rest / 100;
        g->tick_rest %= 100;
        g->published = g->counted;
        if (!g->scenario->ivshmem)
            send_until(g, g->counted, (int64_t)now);
    }
    expect(g);
}

static void look(struct guest *g)
{
    const double now = g->look;
    const int chunks = (int)((g->published - g->sent) / g->grain);
    const int64_t next = chunks > 0 ? shm_pace_found(&g->pace, (int64_t)now, chunks)
                                    : shm_pace_missed(&g->pace, (int64_t)now);
    send_until(g, g->published, g->pace.arrival);
    g->look = fmax((double)next, now) + dice_part(&g->dice) * LOOK_LATE_NS;
    if (g->scenario->spikes > 0)
        g->look += dice_spike(&g->dice, TICKS_A_MINUTE / g->scenario->spikes);
}

void guest_turn(struct guest *g)
{
    const double wakes = fmax(g->next, g->stalled_until);
    if (wakes <= g->look)
        wake_up(g, wakes);
    else
        look(g);
}

void guest_stall(struct guest *g, double until)
{
    g->stalled_until = until;
}

/* Nothing is counted meanwhile; what came to be before has come to be until the end of it. */
void guest_pause(struct guest *g, double until)
{
    const double tick = TICK_NS / (1 + g->ppm * 1e-6);
    const double ticks = floor((until - g->tick_at) / tick);
    g->paused_until = g->tick_at + (ticks + 0.5) * tick;
    g->begins = g->sent + (g->published - g->sent) / g->grain * g->grain;
    draw_line(g, g->tick_at + ticks * tick);
}

void guest_step(struct guest *g, double ppm)
{
    g->ppm += ppm;
    draw_line(g, g->tick_at);
}

void guest_change(struct guest *g, double now, uint32_t rate)
{
    begin(g, now, rate);
    g->tick_at = now;
    g->next = now;
    if (g->scenario->ivshmem)
        shm_pace_begin(&g->pace, (int64_t)now);
    expect(g);
}

double guest_age(const struct guest *g, double place, double heard)
{
    const double rate = g->format.rate;
    unsigned i = g->newest;
    for (;; i--) {
        const struct guest_line *l = &g->lines[i % GUEST_LINES];
        const double due = (heard - l->zero) / l->frame;
        const double frame = place + rate * floor((due - place) / rate + 0.05);
        const bool last = i == g->first_line || g->newest - i == GUEST_LINES - 1;
        if (frame >= (double)l->from || last)
            return heard - l->zero - frame * l->frame;
    }
}

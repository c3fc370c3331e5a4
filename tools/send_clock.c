#include "send_clock.h"

#include "../src/clock.h"

#include <math.h>

void guest_clock_start(struct guest_clock *clock, int64_t t0, uint32_t rate, double ppm,
                       double speed)
{
    *clock = (struct guest_clock){.t0 = t0, .hz = rate * (1 + ppm * 1e-6) * speed};
}

uint64_t guest_frames(const struct guest_clock *clock, int64_t now)
{
    if (now <= clock->t0)
        return 0;
    /* A double holds the frames of 1400 years; the 1e-6 keeps a frame whose end the nanosecond's
     * rounding met exactly. */
    return (uint64_t)((double)(now - clock->t0) * clock->hz / NS_PER_S + 1e-6);
}

int64_t guest_time(const struct guest_clock *clock, uint64_t frames)
{
    int64_t at = clock->t0 + (int64_t)ceil((double)frames * NS_PER_S / clock->hz);
    while (guest_frames(clock, at) < frames)
        at++;
    return at;
}

double guest_random_next(struct guest_random *random)
{
    uint64_t x = random->state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 31) * 0xd6e8feb86659fd93u;
    x = (x ^ x >> 31) * 0xd6e8feb86659fd93u;
    return (double)((x ^ x >> 32) >> 11) * 0x1p-53;
}

/* ns after the start: the next point of the grid, the guest's clock not being short of it. */
static int64_t next_on_grid(const struct guest_pacer *pacer, int64_t since)
{
    const double burst = (double)pacer->burst / (1 + pacer->ppm * 1e-6);
    int64_t n = (int64_t)((double)since / burst), at;
    do
        at = (int64_t)ceil((double)++n * burst);
    while (at <= since);
    return at;
}

struct guest_wake guest_next_wake(struct guest_pacer *pacer, int64_t now)
{
    const int64_t since = now < pacer->start ? 0 : now - pacer->start;
    struct guest_wake wake = {.at = pacer->start + next_on_grid(pacer, since)};
    if (pacer->jitter > 0)
        wake.at += (int64_t)(guest_random_next(&pacer->random) * (double)pacer->jitter);
    if (pacer->stall_every == 0 || wake.at - pacer->start < pacer->stall_every)
        return wake;
    const int64_t into = (wake.at - pacer->start) % pacer->stall_every;
    if (into < pacer->stall) {
        wake.stall_from = wake.at - into;
        wake.at = wake.stall_from + pacer->stall;
    }
    return wake;
}

uint64_t guest_units_due(const struct guest_cut *cut, uint64_t frames)
{
    return frames * cut->frame_bytes / cut->unit_bytes - cut->units;
}

void guest_unit_frames(const struct guest_cut *cut, uint64_t units, uint64_t *first,
                       uint64_t *frames)
{
    const uint64_t from = cut->units * cut->unit_bytes, to = from + units * cut->unit_bytes;
    *first = from / cut->frame_bytes;
    *frames = (to + cut->frame_bytes - 1) / cut->frame_bytes - *first;
}

#include "alsa_standstill.h"

#include "../src/clock.h"

#define MOST_NS (400 * NS_PER_MS)

/*
 * While nobody plays to it PulseAudio's null sink renders two seconds at once, and takes nothing from
 * whoever comes until they are over.
 */
#define AHEAD_NS (2 * NS_PER_S)

void alsa_standstill_begin(struct alsa_standstill *s)
{
    s->moved = 0;
}

static int64_t patience(const struct alsa_standstill *s, int64_t buffer)
{
    const int64_t usual = MOST_NS + buffer + (s->taken == 0 ? AHEAD_NS : 0);
    const int64_t gulps = s->gulped * 3 / 2;
    return usual > gulps ? usual : gulps;
}

/* It moves again. */
static bool has_hung(struct alsa_standstill *s, int64_t stood, int64_t took, int64_t buffer)
{
    const int64_t watched = s->seen - s->moved;
    /* What it owed, at once, and it was not we who were late: its time is right. */
    const bool gulp = took >= stood * 3 / 4 && watched >= stood * 3 / 4;
    if (!gulp)
        return stood > patience(s, buffer);
    if (watched > s->gulped)
        s->gulped = watched;
    return false;
}

bool alsa_standstill_hung(struct alsa_standstill *s, int64_t now, int64_t taken, int64_t buffer,
                          uint32_t rate)
{
    const bool begins = s->moved == 0, moves = taken > s->taken;
    const bool hung =
        !begins && moves &&
        has_hung(s, now - s->moved, (taken - s->taken) * NS_PER_S / rate, buffer * NS_PER_S / rate);
    s->seen = now;
    if (begins || moves) {
        s->moved = now;
        s->taken = taken;
    }
    return hung;
}

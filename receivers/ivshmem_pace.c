#include "ivshmem_pace.h"

#include "ivshmem_header.h"

#include <math.h>

#define PERIOD     SHM_CHUNK_NS
#define CREEP_MIN  2000LL      /* at rest: a miss about every 32 chunks */
#define CREEP_MAX  128000LL    /* comes 10 ms earlier in 3 s */
#define CREEP_HITS 16          /* so many hits double it */
#define CREEP_RATE 32000LL     /* more is no drift */
#define JUMP       500000LL    /* one late chunk moves the first look by no more, */
#define NUDGE      100000LL    /* and by less when it is rare, */
#define RARE       4           /* which is after so many hits */
#define RELOCK     4           /* so many late ones in a row: the phase has changed */
#define SHARP      1000000LL   /* a find after a wait of no more tells the phase */
#define BEGINNINGS 500000000LL /* the least time between two that get special attention */
#define GIVE_UP    60000000LL  /* a guest that catches up comes sooner; one that paused does not */
#define SETTLED    2     /* finds that told the phase: from then on corrections tell the rate */
#define RATE_FIRST 100   /* chunks that its rate is a mean of, at first, */
#define RATE_LAST  2000  /* and in the end */
#define RATE_MOST  60000 /* ns in 20 ms: no guest's clock is further off (arrival.h) */

void shm_pace_init(struct shm_pace *p, int64_t now)
{
    *p = (struct shm_pace){.due = now, .looked = now, .begun = now, .creep = CREEP_MIN};
}

void shm_pace_begin(struct shm_pace *p, int64_t now)
{
    const double rate = p->rate;
    if (now - p->begun < BEGINNINGS)
        return;
    shm_pace_init(p, now);
    p->rate = rate; /* it is the same guest's clock, as a rule */
}

static void reset_creep(struct shm_pace *p)
{
    p->hits = 0;
    p->creep = CREEP_MIN;
}

/* The next chunk is expected a period after this one, and so much later. */
static void expect_next(struct shm_pace *p, int64_t by, bool drifts)
{
    if (drifts && p->sharp >= SETTLED) {
        p->rate += (double)by / (RATE_FIRST + p->age);
        p->rate = fmax(fmin(p->rate, RATE_MOST), -RATE_MOST);
        p->age += p->age < RATE_LAST;
    }
    p->due += PERIOD + by + llrint(p->rate);
}

/* The first look found it: it may have been there for long. */
static void hit(struct shm_pace *p)
{
    p->misses = 0;
    if (++p->hits % CREEP_HITS == 0 && p->creep < CREEP_MAX)
        p->creep *= 2;
    p->arrival = p->due;
    expect_next(p, -p->creep, p->creep <= CREEP_RATE);
}

static void lock(struct shm_pace *p, int64_t due)
{
    p->locked = true;
    p->sharp = 0;
    p->misses = 0;
    p->due = due;
    reset_creep(p);
}

/*
 * A later look found it, which was not there at `missed`. One that is late itself, among many that are not,
 * tells no phase; several in a row tell how far it has moved at least.
 */
static void late_hit(struct shm_pace *p, int64_t now, int64_t missed)
{
    const bool first = p->sharp == 0;
    const int64_t late = now - p->due, surely = missed - p->due;
    const bool outlier = late >= JUMP && p->hits >= RARE;
    const bool alone = p->misses == 0 || late > 2 * SHARP;
    const int64_t most = first ? 2 * SHARP : alone ? NUDGE : JUMP;
    p->least = p->misses > 0 && p->least < surely ? p->least : surely;
    const bool moved = ++p->misses >= RELOCK && p->least > most;
    const int64_t by = moved ? p->least : late < most ? late : most;
    p->arrival = late > JUMP ? now : p->due + by;
    p->usually = late < p->late ? late : p->late;
    p->late = late;
    expect_next(p, by, !first && !moved);
    p->sharp++;
    if (moved)
        p->misses = 0;
    if (outlier)
        p->hits = 0;
    else
        reset_creep(p);
}

/* After a look that found chunks, `gap` after one that did not at `missed`. */
static void find(struct shm_pace *p, int64_t now, int64_t gap, int64_t missed)
{
    if (!p->locked)
        lock(p, now - gap + PERIOD);
    else if (gap == 0)
        hit(p);
    else
        late_hit(p, now, missed);
    while (p->due <= now)
        p->due += PERIOD;
}

int64_t shm_pace_found(struct shm_pace *p, int64_t now, int chunks)
{
    const int64_t gap = p->gap, missed = p->looked;
    const bool sharp = p->locked || (gap > 0 && gap <= SHARP);
    p->looked = now;
    p->arrival = now;
    p->gap = 0;
    if (!sharp) {
        p->due = now;
        p->gap = SHARP / 2; /* closely, for the next one will tell the phase */
        return now + p->gap;
    }
    if (!p->locked || now >= p->due) /* else it is the rest of what the last look found */
        find(p, now, gap, missed);
    if (chunks > 1) /* all but the last have waited, by nobody knows how much */
        p->arrival = now;
    return p->due;
}

/* The longer it is not there, or as a rule was not, the less a little more delay matters. */
static int64_t gap_after(const struct shm_pace *p, int64_t waited)
{
    const int64_t least = p->usually / 4 < SHARP ? p->usually / 4 : SHARP;
    const bool unknown = p->locked && p->sharp == 0; /* within the gap that it was found after */
    int64_t gap = SHARP;
    if (waited < SHARP / 2 || (unknown && waited < 2 * SHARP))
        gap = SHARP / 10;
    else if (waited < 2 * SHARP)
        gap = SHARP / 4;
    else if (waited < 10 * SHARP)
        gap = SHARP / 2;
    else if (waited >= GIVE_UP && p->gap >= SHARP) /* the first look may be that late itself */
        gap = p->gap * 2 < SHM_IDLE_NS ? p->gap * 2 : SHM_IDLE_NS;
    return gap > least ? gap : least;
}

int64_t shm_pace_missed(struct shm_pace *p, int64_t now)
{
    const int64_t waited = now - p->due;
    p->looked = now;
    if (waited < 0) { /* the rest of what the last look found was not to be had */
        p->gap = 0;
        return p->due;
    }
    p->gap = gap_after(p, waited);
    if (waited >= GIVE_UP)
        p->locked = false;
    return now + p->gap;
}

bool shm_pace_is_idle(const struct shm_pace *p)
{
    return p->gap >= SHM_IDLE_NS;
}

#include "ivshmem_pace.h"

#include "ivshmem_header.h"

#define PERIOD     SHM_CHUNK_NS
#define CREEP_MIN  4000LL      /* at rest: a miss about every 50 chunks */
#define CREEP_MAX  128000LL    /* comes 10 ms earlier in 3 s */
#define CREEP_HITS 16          /* so many hits double it */
#define JUMP       500000LL    /* one late chunk moves the first look by no more, */
#define NUDGE      250000LL    /* and by less when it is rare, */
#define RARE       4           /* which is after so many hits */
#define RELOCK     4           /* so many late ones in a row: the phase has changed */
#define SHARP      1000000LL   /* a find after a wait of no more tells the phase */
#define BEGINNINGS 500000000LL /* the least time between two that get special attention */
#define GIVE_UP    60000000LL  /* a guest that catches up comes sooner; one that paused does not */

void shm_pace_init(struct shm_pace *p, int64_t now)
{
    *p = (struct shm_pace){.due = now, .looked = now, .begun = now, .creep = CREEP_MIN};
}

void shm_pace_begin(struct shm_pace *p, int64_t now)
{
    if (now - p->begun >= BEGINNINGS)
        shm_pace_init(p, now);
}

static void reset_creep(struct shm_pace *p)
{
    p->hits = 0;
    p->creep = CREEP_MIN;
}

/* The first look found it: it may have been there for long. */
static void hit(struct shm_pace *p)
{
    p->misses = 0;
    if (++p->hits % CREEP_HITS == 0 && p->creep < CREEP_MAX)
        p->creep *= 2;
    p->due += PERIOD - p->creep;
}

/*
 * A later look found it, `late` after the first one. One that is late itself, among many that are not, tells
 * no phase.
 */
static void late_hit(struct shm_pace *p, int64_t now, int64_t late)
{
    const bool moved = ++p->misses >= RELOCK;
    const bool outlier = late >= JUMP && p->hits >= RARE && !moved;
    const int64_t most = outlier ? NUDGE : JUMP;
    p->due = moved ? now + PERIOD : p->due + PERIOD + (late < most ? late : most);
    if (outlier)
        p->hits = 0;
    else
        reset_creep(p);
    if (moved)
        p->misses = 0;
}

int64_t shm_pace_found(struct shm_pace *p, int64_t now)
{
    const bool first = p->gap == 0;
    const bool sharp = !first && p->gap <= SHARP;
    p->looked = now;
    p->gap = 0;
    if (p->locked && now < p->due) {
        return p->due; /* the rest of what the last look found */
    } else if (p->locked && first) {
        hit(p);
    } else if (p->locked) {
        late_hit(p, now, now - p->due);
    } else if (sharp) {
        p->locked = true;
        p->misses = 0;
        reset_creep(p);
        p->due = now + PERIOD;
    } else {
        p->due = now;
        p->gap = SHARP / 2; /* closely, for the next one will tell the phase */
        return now + p->gap;
    }
    while (p->due <= now)
        p->due += PERIOD;
    return p->due;
}

/* The longer it is not there, the less a little more delay matters. */
static int64_t gap_after(int64_t waited, int64_t gap)
{
    if (waited < 2 * SHARP)
        return SHARP / 4;
    if (waited < 10 * SHARP)
        return SHARP / 2;
    if (waited < GIVE_UP || gap < SHARP) /* the first look may be that late itself */
        return SHARP;
    return gap * 2 < SHM_IDLE_NS ? gap * 2 : SHM_IDLE_NS;
}

int64_t shm_pace_missed(struct shm_pace *p, int64_t now)
{
    const int64_t waited = now - p->due;
    p->looked = now;
    if (waited < 0) { /* the rest of what the last look found was not to be had */
        p->gap = 0;
        return p->due;
    }
    p->gap = gap_after(waited, p->gap);
    if (waited >= GIVE_UP)
        p->locked = false;
    return now + p->gap;
}

bool shm_pace_is_idle(const struct shm_pace *p)
{
    return p->gap >= SHM_IDLE_NS;
}

/*
 * When to look at a shared memory next: nobody tells us that a chunk is there. Pure.
 *
 * Chunks come every 20 ms, each a little late and none early. One look per chunk is meant to be
 * enough, so the first look is kept where nearly every chunk is there already: it creeps earlier
 * while all are, and jumps later when one is not. That line is the late edge of the arrivals,
 * which is what a buffer has to hold anyway. What these steps come to is the guest's rate, which is
 * kept, so that they can be small. A chunk that is not there is looked for every 0.1 ms, then less and
 * less often, down to 20 times a second when the guest has ceased.
 *
 * A look that finds a chunk at once does not tell when it came: when the line says. That is smoother than
 * when the look was, for our thread may be late, too.
 */
#ifndef SCREAM_IVSHMEM_PACE_H
#define SCREAM_IVSHMEM_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define SHM_IDLE_NS 50000000LL /* between looks when nothing comes */

/* All times: ns, CLOCK_MONOTONIC. */
struct shm_pace {
    int64_t arrival; /* when what was found last came, as far as that is known; never goes back */
    bool locked;     /* the phase of the chunks is known */
    int64_t
        due; /* locked: when the next chunk's first look is, or was; else: the last chunk's find */
    int64_t begun;   /* when that was last forgotten */
    int64_t looked;  /* the latest look */
    int64_t gap;     /* from there to the next one */
    int64_t creep;   /* how much earlier each first look is than the one before */
    double rate;     /* ns by which the guest's chunks are further apart than 20 ms */
    uint32_t age;    /* chunks that this was learnt from */
    uint32_t sharp;  /* finds that told the phase, since it was locked */
    uint32_t hits;   /* first looks in a row that found a chunk */
    uint32_t misses; /* first looks in a row that found none */
    int64_t late;    /* the latest one came so much after that, */
    int64_t usually; /* or the one before it, whichever is less; */
    int64_t least;   /* each of those in a row so much at least */
};

/* Nothing is known: look at once, and closely until the first chunk comes. */
void shm_pace_init(struct shm_pace *p, int64_t now);

/* A stream begins: as shm_pace_init(), but not so often that a guest could keep us busy by it. */
void shm_pace_begin(struct shm_pace *p, int64_t now);

/* A look at time now found so many chunks, or none. When to look next. */
int64_t shm_pace_found(struct shm_pace *p, int64_t now, int chunks);
int64_t shm_pace_missed(struct shm_pace *p, int64_t now);

/* It has come down to the slowest pace. */
bool shm_pace_is_idle(const struct shm_pace *p);

#endif

/*
 * The ring's indices (src/ring.c), over all sequences of so many puts and takings of every size, from every
 * first index around the wrap of their type, with every number of warm slots: what comes out is what was put
 * in, no more fits than does, and no two indices mean one slot.
 */
#include "require.h"
#include "ring.h"

#include <stdint.h>

#define MOST  4 /* slots */
#define DEPTH 5 /* puts, and as many takings between them */

static unsigned long long sequences;

static void begin(struct ring *r, uint32_t first, uint32_t warm)
{
    atomic_init(&r->written, first);
    atomic_init(&r->read, first);
    r->known_read = first;
    r->warm = warm;
    for (uint32_t i = 0; i < r->count; i++)
        r->order[(first + i) & (r->count - 1)] = (uint16_t)i;
}

static void look_at_order(const struct ring *r)
{
    unsigned there = 0;
    for (uint32_t i = 0; i < r->count; i++)
        there |= 1u << r->order[i];
    require(there == (1u << r->count) - 1, "two indices mean one slot");
    require(r->warm <= r->count, "more warm slots than there are");
}

static void put(struct ring *r, uint32_t n, uint32_t *next)
{
    for (uint32_t i = 0; i < n; i++)
        *(uint32_t *)ring_claim(r, i) = (*next)++;
    require((ring_claim(r, n) != NULL) == (ring_filled(r) + n < r->count), "room is misjudged");
    ring_publish(r, n);
}

static void take(struct ring *r, uint32_t n, uint32_t *next)
{
    for (uint32_t i = 0; i < n; i++)
        require(*(const uint32_t *)ring_at(r, i) == (*next)++, "not what was put in");
    ring_release(r, n);
}

/* All that can follow; r is as before on return. */
static void follow(struct ring *r, uint32_t in, uint32_t out, int depth)
{
    uint16_t order[MOST];
    uint32_t slots[MOST];
    if (depth == 0) {
        sequences++;
        return;
    }
    for (uint32_t i = 0; i < r->count; i++) {
        order[i] = r->order[i];
        slots[i] = ((uint32_t *)(void *)r->slots)[i];
    }
    const uint32_t written = r->written, read = r->read, known = r->known_read, warm = r->warm;
    const uint32_t room = r->count - ring_filled(r);
    for (uint32_t n = 0; n <= room; n++)
        for (uint32_t m = 0; m <= in + n - out; m++) {
            uint32_t to = in, from = out;
            put(r, n, &to);
            require(ring_filled(r) == to - out, "the filling is misjudged");
            look_at_order(r);
            take(r, m, &from);
            follow(r, to, from, depth - 1);
            r->written = written;
            r->read = read;
            r->known_read = known;
            r->warm = warm;
            for (uint32_t i = 0; i < r->count; i++) {
                r->order[i] = order[i];
                ((uint32_t *)(void *)r->slots)[i] = slots[i];
            }
        }
}

int main(void)
{
    for (uint32_t count = 1; count <= MOST; count *= 2) {
        struct ring r;
        require(ring_init(&r, count, sizeof(uint32_t), 0, 0) == 0, "no memory");
        for (uint32_t first = 0u - 3 * count; first != 2 * count; first++)
            for (uint32_t warm = 0; warm <= count; warm++) {
                begin(&r, first, warm);
                follow(&r, 0, 0, DEPTH);
            }
        ring_finish(&r);
    }
    printf("%llu sequences\n", sequences);
    return 0;
}

#include "ring.h"

#include "memory.h"

#include <errno.h>
#include <stddef.h>

int ring_init(struct ring *r, uint32_t count, uint32_t slot_bytes, uint32_t ready, uint32_t first)
{
    if (count == 0 || count > RING_MOST || (count & (count - 1)) != 0 || slot_bytes == 0)
        return -EINVAL;
    *r = (struct ring){.count = count, .slot_bytes = slot_bytes, .known_read = first};
    r->warm = ready < count ? ready : count;
    atomic_init(&r->written, first);
    atomic_init(&r->read, first);
    r->order = memory_take(count * sizeof r->order[0]);
    r->slots = memory_reserve((size_t)count * slot_bytes, (size_t)r->warm * slot_bytes);
    if (!r->order || !r->slots) {
        ring_finish(r);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++)
        r->order[(first + i) & (count - 1)] = (uint16_t)i;
    return 0;
}

void ring_finish(struct ring *r)
{
    memory_give(r->order, r->count * sizeof r->order[0]);
    memory_release(r->slots, (size_t)r->count * r->slot_bytes);
}

static uint16_t *entry(const struct ring *r, uint32_t index)
{
    return &r->order[index & (r->count - 1)];
}

static void *slot(const struct ring *r, uint32_t index)
{
    return r->slots + (size_t)*entry(r, index) * r->slot_bytes;
}

void *ring_claim(struct ring *r, uint32_t i)
{
    const uint32_t index = atomic_load_explicit(&r->written, memory_order_relaxed) + i;
    if (index - r->known_read >= r->count) {
        /* pairs with the release in ring_release(): the consumer is done with what it freed */
        r->known_read = atomic_load_explicit(&r->read, memory_order_acquire);
        if (index - r->known_read >= r->count)
            return NULL;
    }
    return slot(r, index);
}

/* Nothing is claimed: what the consumer has freed is used next, after what was freed before it. */
static void reuse(struct ring *r)
{
    const uint32_t next = atomic_load_explicit(&r->written, memory_order_relaxed);
    /* pairs with the release in ring_release() */
    const uint32_t read = atomic_load_explicit(&r->read, memory_order_acquire);
    for (; r->known_read != read; r->known_read++, r->warm++) {
        uint16_t *freed = entry(r, r->known_read), *before = entry(r, next + r->warm);
        const uint16_t warm = *freed;
        *freed = *before;
        *before = warm;
    }
}

void ring_publish(struct ring *r, uint32_t n)
{
    const uint32_t index = atomic_load_explicit(&r->written, memory_order_relaxed);
    /* pairs with the acquire in ring_filled(): what was put into the slots is seen with the index
     */
    atomic_store_explicit(&r->written, index + n, memory_order_release);
    r->warm -= n < r->warm ? n : r->warm;
    reuse(r);
}

uint32_t ring_filled(const struct ring *r)
{
    const uint32_t written =
        atomic_load_explicit((_Atomic uint32_t *)&r->written, memory_order_acquire);
    return written - atomic_load_explicit((_Atomic uint32_t *)&r->read, memory_order_relaxed);
}

const void *ring_at(const struct ring *r, uint32_t i)
{
    return slot(r, atomic_load_explicit((_Atomic uint32_t *)&r->read, memory_order_relaxed) + i);
}

void ring_release(struct ring *r, uint32_t n)
{
    const uint32_t index = atomic_load_explicit(&r->read, memory_order_relaxed);
    atomic_store_explicit(&r->read, index + n, memory_order_release);
}

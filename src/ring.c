#include "ring.h"

#include "memory.h"

#include <errno.h>
#include <stddef.h>

int ring_init(struct ring *r, uint32_t count, uint32_t slot_bytes, uint32_t first)
{
    if (count == 0 || (count & (count - 1)) != 0 || slot_bytes == 0)
        return -EINVAL;
    *r = (struct ring){.count = count, .slot_bytes = slot_bytes, .known_read = first};
    atomic_init(&r->written, first);
    atomic_init(&r->read, first);
    r->slots = memory_take((size_t)count * slot_bytes);
    return r->slots ? 0 : -ENOMEM;
}

void ring_finish(struct ring *r)
{
    memory_give(r->slots, (size_t)r->count * r->slot_bytes);
}

static void *slot(const struct ring *r, uint32_t index)
{
    return r->slots + (size_t)(index & (r->count - 1)) * r->slot_bytes;
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

void ring_publish(struct ring *r, uint32_t n)
{
    const uint32_t index = atomic_load_explicit(&r->written, memory_order_relaxed);
    /* pairs with the acquire in ring_filled(): what was put into the slots is seen with the index
     */
    atomic_store_explicit(&r->written, index + n, memory_order_release);
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

#include "udp_drops.h"

void udp_drops_init(struct udp_drops *d, uint32_t buffer)
{
    *d = (struct udp_drops){.full = buffer / UDP_DROPS_TRUESIZE};
}

uint32_t udp_drops_lost(struct udp_drops *d, uint32_t count)
{
    const uint32_t dropped = count - d->count; /* modulo 2^32 */
    d->count = count;
    return d->row >= d->full ? dropped : 0;
}

void udp_drops_pass(struct udp_drops *d)
{
    if (d->drained)
        d->row = 0;
    d->drained = false;
    if (d->row < d->full)
        d->row++;
}

void udp_drops_drained(struct udp_drops *d)
{
    d->drained = true;
}

uint64_t udp_refusals_look(struct udp_refusals *r, uint32_t count, uint64_t lost)
{
    r->before = r->total;
    r->total += count - r->count; /* modulo 2^32 */
    r->count = count;
    const uint64_t refused = r->before > lost ? r->before - lost : 0;
    const uint64_t more = refused > r->told ? refused - r->told : 0;
    r->told += more;
    return more;
}

#include "udp_pace.h"

void udp_pace_read(struct udp_pace *p, int datagrams, int room, int64_t now)
{
    p->until = (p->until > now ? p->until : now) + datagrams * NS_PER_MS / UDP_PACE_A_MS;
    p->unfinished = datagrams >= room;
    if (datagrams <= 0)
        return;
    if (now - p->last > UDP_PACE_GAP_NS) {
        p->before = p->burst;
        p->burst = 0;
    }
    p->burst += datagrams;
    p->last = now;
}

int64_t udp_pace_rest(const struct udp_pace *p, int64_t now)
{
    const int64_t over = p->until - now - UDP_PACE_AT_ONCE * NS_PER_MS / UDP_PACE_A_MS;
    if (over > 0) /* by whole ms, so that what is read then is worth it */
        return now + (over / NS_PER_MS + 1) * NS_PER_MS;
    if (!p->unfinished && p->before - p->burst > UDP_PACE_FEW)
        return p->last + UDP_PACE_NAP_NS;
    return now;
}

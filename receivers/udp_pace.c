#include "udp_pace.h"

void udp_pace_read(struct udp_pace *p, int datagrams, int64_t now)
{
    p->until = (p->until > now ? p->until : now) + datagrams * NS_PER_MS / UDP_PACE_A_MS;
}

int udp_pace_wait(const struct udp_pace *p, int64_t now)
{
    const int64_t over = p->until - now - UDP_PACE_AT_ONCE * NS_PER_MS / UDP_PACE_A_MS;
    return over > 0 ? (int)(over / NS_PER_MS) + 1 : 0;
}

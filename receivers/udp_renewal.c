#include "udp_renewal.h"

#include <stdbool.h>

void udp_renewal_init(struct udp_renewal *r, uint64_t packets, int64_t now)
{
    *r = (struct udp_renewal){.packets = packets,
                              .heard = now,
                              .renewed = now,
                              .gap = UDP_RENEWAL_FIRST,
                              .next = now + UDP_RENEWAL_LOOK};
}

enum udp_renewal_kind udp_renewal_look(struct udp_renewal *r, uint64_t packets, int64_t now)
{
    const bool heard = packets != r->packets;
    bool due;
    if (heard) {
        r->packets = packets;
        r->heard = now;
        r->gap = UDP_RENEWAL_FIRST;
        due = now - r->renewed >= UDP_RENEWAL_MOST;
    } else {
        const int64_t since = r->heard > r->renewed ? r->heard : r->renewed;
        due = now - since >= r->gap;
        if (due)
            r->gap = 2 * r->gap < UDP_RENEWAL_MOST ? 2 * r->gap : UDP_RENEWAL_MOST;
    }
    if (due)
        r->renewed = now;
    r->next = now + (r->gap > UDP_RENEWAL_IDLE ? UDP_RENEWAL_IDLE : UDP_RENEWAL_LOOK);
    if (!due)
        return UDP_RENEW_NOT;
    return heard ? UDP_RENEW_PLAYING : UDP_RENEW_SILENT;
}

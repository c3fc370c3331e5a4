/*
 * When to renew a membership that somebody on the way may have forgotten. Pure.
 *
 * While sound comes: well before any snooping bridge forgets (260 s by default). When it ceases,
 * because the guest has or because of that bridge: soon, then less and less often.
 */
#ifndef SCREAM_UDP_RENEWAL_H
#define SCREAM_UDP_RENEWAL_H

#include "../src/clock.h"

#include <stdint.h>

#define UDP_RENEWAL_FIRST (500 * NS_PER_MS)
#define UDP_RENEWAL_MOST  (45 * NS_PER_S)
#define UDP_RENEWAL_LOOK  (500 * NS_PER_MS) /* while sound comes, or did so lately */
#define UDP_RENEWAL_IDLE  (5 * NS_PER_S)    /* between looks later */

struct udp_renewal {
    uint64_t packets; /* at the latest look */
    int64_t heard;    /* time of the latest look that found new ones */
    int64_t renewed;
    int64_t gap; /* from the latest of both to the next renewal, while nothing comes */
    int64_t next;
};

/* Joined just now. */
void udp_renewal_init(struct udp_renewal *r, uint64_t packets, int64_t now);

enum udp_renewal_kind {
    UDP_RENEW_NOT,
    UDP_RENEW_PLAYING, /* without a loss */
    UDP_RENEW_SILENT,
};

/* So many packets have come since the beginning. r->next: when to look again. */
enum udp_renewal_kind udp_renewal_look(struct udp_renewal *r, uint64_t packets, int64_t now);

#endif

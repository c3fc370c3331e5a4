/*
 * Why the kernel dropped what it counts. It has one count (SO_RXQ_OVFL, SO_MEMINFO) for what a full
 * buffer had no room for and for what our own filter refused. Pure.
 *
 * A buffer that was full has held so many datagrams, which are read in a row right before the first
 * one that had room again. Where fewer were read in a row, the filter has dropped.
 */
#ifndef SCREAM_UDP_DROPS_H
#define SCREAM_UDP_DROPS_H

#include <stdbool.h>
#include <stdint.h>

#define UDP_DROPS_TRUESIZE 8192 /* bytes: more of a buffer than any datagram of ours takes */

/* The reader's. */
struct udp_drops {
    uint32_t full;  /* datagrams: a buffer that has held fewer was not full */
    uint32_t row;   /* read in a row, no more than `full` */
    bool drained;   /* after the last of them it was found empty */
    uint32_t count; /* the kernel's when last told; wraps */
};

/* buffer: bytes of the socket's, as the kernel counts (SO_RCVBUF); 0: unknown. */
void udp_drops_init(struct udp_drops *d, uint32_t buffer);

/* The next datagram came with this count of the kernel's: how many before it found no room. */
uint32_t udp_drops_lost(struct udp_drops *d, uint32_t count);

/* The next datagram has been read. */
void udp_drops_pass(struct udp_drops *d);

/* The buffer was found empty. */
void udp_drops_drained(struct udp_drops *d);

/* Another thread's, which looks at the count itself, whether or not something has come. */
struct udp_refusals {
    uint32_t count;  /* the kernel's at the latest look; wraps */
    uint64_t total;  /* the same, not wrapping */
    uint64_t before; /* of the look before: the reader has judged those since */
    uint64_t told;
};

/*
 * A look found that count; lost: all that udp_drops_lost() has said. How many more were refused; told
 * one look late.
 */
uint64_t udp_refusals_look(struct udp_refusals *r, uint32_t count, uint64_t lost);

#endif

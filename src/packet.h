/* What a receiver hands on: validated, so that nothing behind it has to look again. */
#ifndef SCREAM_PACKET_H
#define SCREAM_PACKET_H

#include "format.h"

#include <stdbool.h>
#include <stdint.h>

#define SCREAM_DEFAULT_GROUP "239.255.77.77"
#define SCREAM_DEFAULT_PORT  4010
#define SCREAM_PAYLOAD       1152                              /* bytes of PCM in a datagram */
#define SCREAM_DATAGRAM      (PCM_WIRE_BYTES + SCREAM_PAYLOAD) /* bytes of a datagram, always */

/* Who sent it: compared and printed, never looked into. A shared-memory file is address 0, port 0.
 */
struct source_id {
    uint32_t address; /* IPv4, host order */
    uint16_t port;    /* host order */
};

struct packet {
    struct source_id source;
    struct pcm_format format;
    int64_t arrival;     /* ns, CLOCK_MONOTONIC, when the receiver saw it */
    const uint8_t *data; /* interleaved PCM; the receiver's, valid until its next read or close */
    uint32_t bytes;      /* above 0; need not be whole frames: the source is a stream of bytes */
    bool starts; /* a new stream begins here even if the format is the same: frames count anew */
};

static inline bool source_equal(struct source_id a, struct source_id b)
{
    return a.address == b.address && a.port == b.port;
}

/* It as one number; 0 is nobody, who has neither. */
static inline uint64_t source_number(struct source_id s)
{
    return (uint64_t)s.address << 16 | s.port;
}

/* And back; what lies above its 48 bits is not looked at. */
static inline struct source_id source_of(uint64_t number)
{
    return (struct source_id){.address = (uint32_t)(number >> 16), .port = (uint16_t)number};
}

#endif

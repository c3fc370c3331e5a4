/*
 * The one place where a datagram's bytes are looked at (`make lint` sees to it). Pure: bytes in, a
 * packet or a fault out.
 */
#ifndef SCREAM_UDP_PARSE_H
#define SCREAM_UDP_PARSE_H

#include "../src/packet.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As it came: whole, and one byte more, so that a longer one shows. */
struct udp_datagram {
    uint8_t outside[SCREAM_DATAGRAM + 1];
};

/* What a packet socket has seen, from the IP header on. */
struct udp_sighting {
    uint8_t outside[128];
};

enum udp_fault { UDP_OK, UDP_BAD_SIZE, UDP_BAD_FORMAT };

/*
 * A datagram that had n bytes. On UDP_OK format, data (into *raw) and length of *out are set;
 * source, arrival and starts, which no datagram carries, are untouched. Otherwise *out is
 * untouched.
 */
enum udp_fault udp_parse(const struct udp_datagram *raw, size_t n, struct packet *out);

/* Of n bytes that were seen: true when they begin a guest's packet, and where it goes, whole. */
bool udp_parse_sighting(const struct udp_sighting *raw, size_t n, struct sockaddr_in *to);

#endif

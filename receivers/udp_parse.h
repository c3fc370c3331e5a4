/*
 * The one place where a datagram's bytes are looked at. Pure: bytes in, a packet or a fault out.
 */
#ifndef SCREAM_UDP_PARSE_H
#define SCREAM_UDP_PARSE_H

#include "../src/packet.h"

#include <stddef.h>
#include <stdint.h>

enum udp_fault { UDP_OK, UDP_BAD_SIZE, UDP_BAD_FORMAT };

/*
 * A whole datagram of n bytes. On UDP_OK format, data (into `bytes`) and length of *out are set;
 * source, arrival and starts, which no datagram carries, are untouched. Otherwise *out is
 * untouched.
 */
enum udp_fault udp_parse(const uint8_t *bytes, size_t n, struct packet *out);

#endif

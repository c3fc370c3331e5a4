#include "udp_parse.h"

enum udp_fault udp_parse(const uint8_t *bytes, size_t n, struct packet *out)
{
    if (n != SCREAM_DATAGRAM)
        return UDP_BAD_SIZE;
    if (pcm_format_parse(bytes, &out->format) != PCM_OK)
        return UDP_BAD_FORMAT;
    out->data = bytes + PCM_WIRE_BYTES;
    out->bytes = SCREAM_PAYLOAD;
    return UDP_OK;
}

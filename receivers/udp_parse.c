#include "udp_parse.h"

#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>

enum udp_fault udp_parse(const struct udp_datagram *raw, size_t n, struct packet *out)
{
    if (n != SCREAM_DATAGRAM)
        return UDP_BAD_SIZE;
    if (pcm_format_parse(raw->outside, &out->format) != PCM_OK)
        return UDP_BAD_FORMAT;
    out->data = raw->outside + PCM_WIRE_BYTES;
    out->bytes = SCREAM_PAYLOAD;
    return UDP_OK;
}

bool udp_parse_sighting(const struct udp_sighting *raw, size_t n, struct sockaddr_in *to)
{
    struct iphdr ip;
    struct udphdr udp;
    if (n > sizeof raw->outside)
        n = sizeof raw->outside;
    if (n < sizeof ip)
        return false;
    memcpy(&ip, raw->outside, sizeof ip);
    const size_t from = (size_t)ip.ihl * 4;
    if (from < sizeof ip || n < from + sizeof udp)
        return false;
    memcpy(&udp, raw->outside + from, sizeof udp);
    if (ip.protocol != IPPROTO_UDP || (ntohs(ip.frag_off) & IP_OFFMASK) ||
        ntohs(udp.len) != sizeof udp + SCREAM_DATAGRAM)
        return false;
    *to = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = ip.daddr, .sin_port = udp.dest};
    return true;
}

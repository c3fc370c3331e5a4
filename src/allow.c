#include "allow.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number behind the slash, -1: none that is a prefix's length. */
static int prefix_of(const char *text)
{
    if (text[0] < '0' || text[0] > '9' || strlen(text) > 2)
        return -1;
    char *end;
    const long bits = strtol(text, &end, 10);
    return *end == '\0' && bits <= 32 ? (int)bits : -1;
}

bool allow_parse(const char *text, struct allow_range *out)
{
    char address[INET_ADDRSTRLEN];
    struct in_addr in;
    const size_t length = strcspn(text, "/");
    const int bits = text[length] == '/' ? prefix_of(text + length + 1) : 32;
    if (length >= sizeof address || bits < 0)
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    if (inet_pton(AF_INET, address, &in) != 1)
        return false;
    out->mask = bits == 0 ? 0 : UINT32_MAX << (32 - bits);
    out->network = ntohl(in.s_addr) & out->mask;
    return true;
}

bool allow_admits(const struct allow *a, uint32_t address)
{
    bool found = a->count == 0;
    for (int i = 0; i < a->count; i++)
        found |= (address & a->list[i].mask) == a->list[i].network;
    return found;
}

void allow_text(const struct allow *a, char *buf, size_t size)
{
    char network[INET_ADDRSTRLEN], bits[8] = "", more[24] = "";
    if (a->count == 0) {
        snprintf(buf, size, "everybody");
        return;
    }
    const struct in_addr in = {.s_addr = htonl(a->list[0].network)};
    inet_ntop(AF_INET, &in, network, sizeof network);
    if (a->list[0].mask != UINT32_MAX)
        snprintf(bits, sizeof bits, "/%d", __builtin_popcount(a->list[0].mask));
    if (a->count > 1)
        snprintf(more, sizeof more, " and %d more", a->count - 1);
    snprintf(buf, size, "%s%s%s", network, bits, more);
}

/* Which senders may be heard (--allow): IPv4 addresses and networks. Pure. */
#ifndef SCREAM_ALLOW_H
#define SCREAM_ALLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALLOW_MOST 16

/* Addresses that agree with `network` in `mask`'s bits; host order. Invariant: network has no others. */
struct allow_range {
    uint32_t network;
    uint32_t mask; /* ones, then zeros */
};

struct allow {
    int count; /* 0: everybody may */
    struct allow_range list[ALLOW_MOST];
};

/* "192.168.122.50" or "192.168.122.0/24"; false, and *out as it was, for anything else. */
bool allow_parse(const char *text, struct allow_range *out);

/* address: host order. */
bool allow_admits(const struct allow *a, uint32_t address);

/* "192.168.122.50", "192.168.122.0/24 and 2 more", always terminated; "everybody". */
void allow_text(const struct allow *a, char *buf, size_t size);

#endif

/* The receivers of this build. */
#include "../src/receiver.h"

extern const struct receiver_driver udp_driver, ivshmem_driver;

const struct receiver_driver *const receiver_table[] = {
#ifdef HAVE_UDP
    &udp_driver,
#endif
#ifdef HAVE_IVSHMEM
    &ivshmem_driver,
#endif
    NULL,
};

const struct receiver_absent receiver_absent[] = {
#ifndef HAVE_UDP
    {"udp", "left out of this build; run make again with udp in RECEIVERS="},
#endif
#ifndef HAVE_IVSHMEM
    {"ivshmem", "left out of this build; run make again with ivshmem in RECEIVERS="},
#endif
    {"pcap", "not in this version; what the guest sends is received without it"},
    {NULL, NULL},
};

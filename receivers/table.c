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

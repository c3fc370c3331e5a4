/* The network side of --check. Control thread. */
#ifndef SCREAM_UDP_CHECK_H
#define SCREAM_UDP_CHECK_H

#include "../src/receiver.h"

/* As receiver_driver.check says. */
void udp_check(const struct receiver_config *config, int64_t watch, struct findings *f);

#endif

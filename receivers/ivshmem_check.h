/* The shared memory's side of --check. Control thread. */
#ifndef SCREAM_IVSHMEM_CHECK_H
#define SCREAM_IVSHMEM_CHECK_H

#include "../src/receiver.h"

/* As receiver_driver.check says. */
void ivshmem_check(const struct receiver_config *config, int64_t watch, struct findings *f);

#endif

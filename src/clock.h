/* The one clock of this program: CLOCK_MONOTONIC in nanoseconds (a vDSO call, no system call). */
#ifndef SCREAM_CLOCK_H
#define SCREAM_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S  1000000000LL
#define NS_PER_MS 1000000LL
#define NS_PER_US 1000LL

static inline int64_t clock_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* Of two moments when something is due; INT64_MAX: never. */
static inline int64_t clock_earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif

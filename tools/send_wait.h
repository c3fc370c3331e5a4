/*
 * Waits that SIGINT and SIGTERM end: for a moment, or for input. One thread; the signals are
 * blocked for the process from open on, so open before any thread starts.
 */
#ifndef SCREAM_SEND_WAIT_H
#define SCREAM_SEND_WAIT_H

#include <stdint.h>

struct send_wait {
    int timer, signals;
};

/* 0 or -errno, with nothing open. */
int send_wait_open(struct send_wait *wait);

/* Until `at` (CLOCK_MONOTONIC, ns): 0 not before then, -EINTR when the user wants an end. */
int send_wait_until(const struct send_wait *wait, int64_t at);

/* Until fd has something to read or is at its end: 0, or -EINTR. */
int send_wait_readable(const struct send_wait *wait, int fd);

void send_wait_close(struct send_wait *wait);

#endif

/*
 * What was sent when: a file of one text line an event, written at once, for programs to read.
 * All times are CLOCK_MONOTONIC in ns; unknown words and keys may come, readers pass them over.
 *
 *   segment t0=<ns> rate=48000 width=16 channels=2 mask=0x0003 signal=noise frame0=0 ppm=0
 *       A stretch of one signal in one format. Frame k begins on the guest's clock at
 *       t0 + k / (rate * (1 + ppm * 1e-6)), with speed=<x> at the end: * x. Each segment starts its
 *       signal at frame index 0 again, so frame0 is always 0. signal= may also be wav or stdin.
 *   burst t=<ns> first=<frame> frames=<n>     with --log-bursts: sent at t, lost ones included
 *   loss t=<ns> first=<frame> frames=<n>      these were not sent
 *   stall t=<ns> ms=<n>                       nothing was sent from t on, for so long
 *   pause t=<ns> ms=<n>                       a script's, likewise; the guest plays nothing
 *   end t=<ns> frames=<n>                     of the segment: so many whole frames were its own,
 *                                             lost ones included
 * A frame that straddles two datagrams counts for both.
 */
#ifndef SCREAM_SEND_LOG_H
#define SCREAM_SEND_LOG_H

#include "../src/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct send_log {
    FILE *file; /* NULL: nothing is logged */
    bool bursts;
};

/* path: NULL for none, "-" for stdout. 0, or -errno after a line on stderr. */
int send_log_open(struct send_log *log, const char *path, bool bursts);

void send_log_segment(const struct send_log *log, int64_t t0, const struct pcm_format *f,
                      const char *signal, double ppm, double speed);
void send_log_burst(const struct send_log *log, int64_t t, uint64_t first, uint64_t frames);
void send_log_loss(const struct send_log *log, int64_t t, uint64_t first, uint64_t frames);
void send_log_stall(const struct send_log *log, int64_t t, int64_t length);
void send_log_pause(const struct send_log *log, int64_t t, int64_t length);
void send_log_end(const struct send_log *log, int64_t t, uint64_t frames);

/* 0, or -EIO after a line on stderr: a line could not be written. */
int send_log_close(struct send_log *log);

/* A line for the user on stderr, with the program's name. */
void send_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

/* scream-send's command line. One table makes the parser and --help. */
#ifndef SCREAM_SEND_OPTIONS_H
#define SCREAM_SEND_OPTIONS_H

#include "../src/format.h"
#include "send_values.h"
#include "signal.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Checked one by one and against each other: every number is within its option's limits. Strings
 * are argv's; NULL: not given.
 */
struct send_options {
    /* where to */
    struct in_addr to;
    uint64_t port, source_port; /* source_port 0: the kernel's choice */
    uint64_t ttl;
    const char *interface; /* name or address */
    const char *shm;       /* shared memory instead of UDP */
    uint64_t shm_mib;      /* a power of two */

    /* what */
    struct pcm_format format; /* when neither wav nor script */
    enum signal_kind signal;
    const char *wav, *script;
    bool from_stdin, repeat;
    int64_t duration; /* ns of the guest's time; INT64_MAX: no end */
    uint64_t packets; /* datagrams or chunks; UINT64_MAX: no end */

    /* when */
    double ppm, speed;
    int64_t burst, jitter, linger; /* ns */
    struct send_stall stall;
    double loss; /* percent */
    uint64_t seed;

    /* what it says */
    const char *log; /* "-" is stdout */
    bool log_bursts, quiet;
    bool help, version; /* print it and do nothing else */
};

/* 0, or -EINVAL after one line on `complaints`. --help and --version end the parsing. */
int send_options_parse(struct send_options *options, int argc, char **argv, FILE *complaints);

void send_options_help(FILE *out);

#endif

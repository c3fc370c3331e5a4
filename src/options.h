/* The command line. One table of options makes the parser and --help. */
#ifndef SCREAM_OPTIONS_H
#define SCREAM_OPTIONS_H

#include "clock.h"
#include "output.h"
#include "receiver.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define OPTIONS_AUTO     "auto"
#define OPTIONS_NAME     "Scream" /* what are not given */
#define OPTIONS_BOUND_MS 200

enum options_action { OPTIONS_RUN, OPTIONS_CHECK, OPTIONS_HELP, OPTIONS_VERSION };

struct options {
    enum options_action action;
    struct receiver_config receiver;
    const char *receiver_name; /* "udp", "ivshmem", "pcap": one that this build has */
    const char *output_name;   /* one that this build has, or OPTIONS_AUTO */
    struct output_config output;
    int64_t target;  /* ns; 0: automatic */
    int64_t bound;   /* ns */
    bool exact;      /* frames pass unaltered: the guest's clock is not followed */
    bool no_sandbox; /* the receiver thread keeps all system calls */
    bool verbose;
};

/*
 * Strings in *o are argv's. 0, or -EINVAL with one line in `why` (size bytes, terminated) that
 * names the option, the value and what is allowed.
 */
int options_parse(struct options *o, int argc, char *const argv[], char *why, size_t size);

/*
 * Those of the options given (other than by their defaults) that mean nothing to that output: "-c, -s".
 * False, and nothing is written: there are none.
 */
bool options_unused(const struct options *o, const struct output_driver *driver, char *buf,
                    size_t size);
/* Likewise to that receiver: "-i". */
bool options_unused_by_receiver(const struct options *o, const struct receiver_driver *driver,
                                char *buf, size_t size);

void options_help(FILE *to);

#endif

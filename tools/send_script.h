/*
 * A script of format changes: a line a step, "SECONDS FORMAT [SIGNAL]" or "SECONDS pause", with
 * empty lines and comments after #. Pure but for reading the file.
 */
#ifndef SCREAM_SEND_SCRIPT_H
#define SCREAM_SEND_SCRIPT_H

#include "../src/format.h"
#include "signal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct script_step {
    int64_t duration; /* ns of the guest's time, over 0 */
    bool pause;       /* nothing is sent; format and signal mean nothing */
    struct pcm_format format;
    enum signal_kind signal;
};

struct script {
    struct script_step *steps; /* at least one after a successful read */
    size_t count;
};

/* "2.5" as ns; -EINVAL unless it is over 0 and at most ten years. */
int send_seconds_parse(const char *text, int64_t *ns);

/* One line without its newline: 1 for a step, 0 for nothing on it, -EINVAL with *why, static. */
int script_parse_line(const char *line, enum signal_kind default_signal, struct script_step *step,
                      const char **why);

/* 0, or -errno with nothing to free: *line is where and *why, static text, is what. */
int script_read(struct script *script, FILE *file, enum signal_kind default_signal, size_t *line,
                const char **why);

void script_finish(struct script *script);

#endif

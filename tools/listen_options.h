/* scream-listen's command line. */
#ifndef SCREAM_LISTEN_OPTIONS_H
#define SCREAM_LISTEN_OPTIONS_H

#include "listen_track.h"

#include <stdbool.h>
#include <stdio.h>

struct listen_options {
    const char *input; /* NULL: standard input */
    enum sample_type type;
    uint32_t rate;    /* 0: as sent */
    uint8_t channels; /* 0: as sent */
    bool typed;       /* the type was given */
    struct pcm_format sent;
    bool sent_given;
    enum signal_kind signal;
    const char *log;  /* NULL: none */
    const char *save; /* NULL: do not */
    double tolerance; /* in steps of the coarsest width; negative: the default */
    double render;    /* s: write the signal instead of listening; 0: listen */
    bool json, help;
    enum track_mode mode;
    bool mapped;
    int8_t map[TRACK_CHANNELS];
};

/* 0, or -EINVAL with one line on standard error. */
int listen_options_parse(struct listen_options *o, int argc, char **argv);
void listen_options_help(FILE *out);

#endif

#include "listen_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const char *name, *argument, *help;
    int (*take)(struct listen_options *o, const char *value);
};

static int take_type(struct listen_options *o, const char *value)
{
    o->typed = true;
    return sample_type_find(value, &o->type) ? 0 : -EINVAL;
}

static int take_number(const char *value, double least, double most, double *out)
{
    char *end;
    *out = strtod(value, &end);
    return *end || end == value || !(*out >= least && *out <= most) ? -EINVAL : 0;
}

static int take_rate(struct listen_options *o, const char *value)
{
    double v;
    if (take_number(value, 1000, 768000, &v))
        return -EINVAL;
    o->rate = (uint32_t)v;
    return 0;
}

static int take_channels(struct listen_options *o, const char *value)
{
    double v;
    if (take_number(value, 1, TRACK_CHANNELS, &v))
        return -EINVAL;
    o->channels = (uint8_t)v;
    return 0;
}

static int take_map(struct listen_options *o, const char *value)
{
    int at = 0;

    for (int i = 0; i < TRACK_CHANNELS; i++)
        o->map[i] = HOLDS_ANYTHING;
    for (const char *p = value; *p; at++) {
        char *end = (char *)(uintptr_t)p + 1;
        if (at >= TRACK_CHANNELS)
            return -EINVAL;
        if (*p == 's')
            o->map[at] = HOLDS_SILENCE;
        else if (*p >= '0' && *p <= '9')
            o->map[at] = (int8_t)(strtoul(p, &end, 10) % PCM_MAX_CHANNELS);
        else if (*p != 'x')
            return -EINVAL;
        if (*end != ',' && *end)
            return -EINVAL;
        p = *end ? end + 1 : end;
    }
    o->mapped = true;
    return at ? 0 : -EINVAL;
}

static int take_sent(struct listen_options *o, const char *value)
{
    o->sent_given = true;
    return segment_format_parse(value, &o->sent) ? 0 : -EINVAL;
}

static int take_signal(struct listen_options *o, const char *value)
{
    int kind = signal_find(value);
    if (kind < 0)
        return -EINVAL;
    o->signal = (enum signal_kind)kind;
    return 0;
}

static int take_log(struct listen_options *o, const char *value)
{
    o->log = value;
    return 0;
}

static int take_save(struct listen_options *o, const char *value)
{
    o->save = value;
    return 0;
}

static int take_tolerance(struct listen_options *o, const char *value)
{
    return take_number(value, 0, 65536, &o->tolerance);
}

static int take_render(struct listen_options *o, const char *value)
{
    return take_number(value, 0.000001, 86400, &o->render);
}

static int take_exact(struct listen_options *o, const char *value)
{
    (void)value;
    o->mode = TRACK_EXACT;
    return 0;
}

static int take_resampled(struct listen_options *o, const char *value)
{
    (void)value;
    o->mode = TRACK_RESAMPLED;
    return 0;
}

static int take_json(struct listen_options *o, const char *value)
{
    (void)value;
    o->json = true;
    return 0;
}

static int take_help(struct listen_options *o, const char *value)
{
    (void)value;
    o->help = true;
    return 0;
}

static const struct row rows[] = {
    {"type", "TYPE", "the recording's samples: s16, s24 (packed), s32, f32 (as sent)", take_type},
    {"rate", "HZ", "the recording's rate (as sent)", take_rate},
    {"channels", "N", "the recording's channels (as sent)", take_channels},
    {"map", "LIST", "the sent channel each recorded one should hold, from 0; s: silence, x: any",
     take_map},
    {"sent", "FORMAT", "what was sent: RATE/WIDTH/CHANNELS[/MASK]", take_sent},
    {"signal", "NAME", "sine, noise, sweep, walk, chime (noise)", take_signal},
    {"log", "FILE", "scream-send's log: what was sent, and when", take_log},
    {"tolerance", "STEPS", "of a 16 bit sample (1)", take_tolerance},
    {"exact", NULL, "sample by sample (unless nothing matches so)", take_exact},
    {"resampled", NULL, "the sound at any rate that drifts, by what can be heard up to 0.6 of it",
     take_resampled},
    {"save", "FILE", "keep the recording as a WAV file", take_save},
    {"render", "SECONDS", "do not listen: write the signal to standard output", take_render},
    {"json", NULL, "print one JSON object", take_json},
    {"help", NULL, "print this", take_help},
};
#define ROWS ((int)(sizeof rows / sizeof rows[0]))

void listen_options_help(FILE *out)
{
    fprintf(out, "Usage: scream-listen [OPTION]... [FILE]\n"
                 "Judges a recording (raw or WAV, standard input by default) of what scream-send "
                 "sent.\n\n");
    for (int i = 0; i < ROWS; i++)
        fprintf(out, "  --%-10s %-8s %s\n", rows[i].name, rows[i].argument ? rows[i].argument : "",
                rows[i].help);
}

static int complain(const char *what, const char *value)
{
    fprintf(stderr, "scream-listen: %s '%s': no such thing; see --help\n", what, value);
    return -EINVAL;
}

static int check(const struct listen_options *o)
{
    if (!o->help && !o->sent_given && (!o->log || o->render > 0)) {
        fprintf(stderr, "scream-listen: what was sent? Give --sent RATE/WIDTH/CHANNELS or --log\n");
        return -EINVAL;
    }
    return 0;
}

int listen_options_parse(struct listen_options *o, int argc, char **argv)
{
    struct option longs[ROWS + 1] = {{0}};
    int c;

    *o = (struct listen_options){.signal = SIGNAL_NOISE, .tolerance = -1};
    for (int i = 0; i < ROWS; i++)
        longs[i] = (struct option){rows[i].name, rows[i].argument ? 1 : 0, NULL, i + 1};
    opterr = 0;
    while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
        if (c < 1 || c > ROWS)
            return complain("option", argv[optind - 1]);
        if (rows[c - 1].take(o, optarg))
            return complain(longs[c - 1].name, optarg ? optarg : "");
    }
    if (optind < argc)
        o->input = argv[optind++];
    if (optind < argc)
        return complain("argument", argv[optind]);
    return check(o);
}

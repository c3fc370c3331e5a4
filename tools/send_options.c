#include "send_options.h"

#include "../src/clock.h"
#include "send_format.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <string.h>

#define DEFAULT_GROUP "239.255.77.77"
#define SIGNALS       "sine, noise, sweep, walk, chime, silence"
#define MINUTE        60000 /* ms */
#define AT(field)     offsetof(struct send_options, field)

static const struct option_row {
    const char *group; /* begins here, or NULL */
    char letter;       /* or 0 */
    const char *name;
    const char *value; /* what --help calls it; NULL takes none */
    const char *help, *allowed;
    send_parser *parse;
    size_t field; /* offset in struct send_options */
    double min, max;
} rows[] = {
    {"Where to", 't', "to", "ADDR", "group or host (" DEFAULT_GROUP ")", "an IPv4 address",
     send_parse_address, AT(to), 0, 0},
    {NULL, 'p', "port", "N", "UDP port (4010)", "1 to 65535", send_parse_integer, AT(port), 1,
     65535},
    {NULL, 'i', "interface", "NAME|ADDR", "multicast leaves there; ADDR is the source address too",
     "an interface's name or IPv4 address", send_parse_text, AT(interface), 0, 0},
    {NULL, 0, "source-port", "N", "as old drivers, which use 4010 (0: any)", "0 to 65535",
     send_parse_integer, AT(source_port), 0, 65535},
    {NULL, 0, "ttl", "N", "hops that multicast may take (1)", "1 to 255", send_parse_integer,
     AT(ttl), 1, 255},
    {NULL, 'm', "shm", "FILE", "IVSHMEM instead of UDP, such as /dev/shm/scream", "a file",
     send_parse_text, AT(shm), 0, 0},
    {NULL, 0, "size", "MIB", "the shared memory's size (2); FILE is made or grown to it",
     "a power of two from 1 to 64, as any PCI memory", send_parse_size, AT(shm_mib), 1, 64},

    {"What", 'f', "format", "FORMAT", "RATE/WIDTH/CHANNELS[/MASK], mask in hex (48000/16/2)",
     SEND_FORMAT_ALLOWED, send_parse_format, AT(format), 0, 0},
    {NULL, 's', "signal", "NAME", SIGNALS " (sine)", SIGNALS, send_parse_signal, AT(signal), 0, 0},
    {NULL, 'w', "wav", "FILE", "PCM of 16, 24 or 32 bits, sent in its own format",
     "a file (--stdin takes raw PCM)", send_parse_wav, AT(wav), 0, 0},
    {NULL, 0, "stdin", NULL, "raw little-endian PCM in the format of -f", NULL, send_parse_flag,
     AT(from_stdin), 0, 0},
    {NULL, 0, "script", "FILE", "lines `SECONDS FORMAT [SIGNAL]` or `SECONDS pause`, # comments",
     "a file", send_parse_text, AT(script), 0, 0},
    {NULL, 0, "repeat", NULL, "the WAV file or script again and again", NULL, send_parse_flag,
     AT(repeat), 0, 0},
    {NULL, 'd', "duration", "SECONDS", "by the guest's clock (to the input's end, or for ever)",
     "seconds over 0", send_parse_duration, AT(duration), 0, 0},
    {NULL, 0, "packets", "N", "ends after so many datagrams or 20 ms chunks", "at least 1",
     send_parse_integer, AT(packets), 1, UINT32_MAX},

    {"When", 0, "ppm", "N", "how much faster the guest's clock is than the host's (0)",
     "-10000 to 10000", send_parse_real, AT(ppm), -10000, 10000},
    {NULL, 0, "speed", "X", "times real time (1)", "0.01 to 1000", send_parse_real, AT(speed), 0.01,
     1000},
    {NULL, 0, "burst", "MS", "the driver wakes so often, by its clock, and sends what is full (10)",
     "0.1 to 60000", send_parse_ms, AT(burst), 0.1, MINUTE},
    {NULL, 0, "jitter", "MS", "each burst is late by a random 0 to MS (0)", "0 to 60000",
     send_parse_ms, AT(jitter), 0, MINUTE},
    {NULL, 0, "stall", "MS/EVERY", "sends nothing for MS every EVERY ms, then all at once",
     "such as 250/5000: both up to 60000, the stall shorter", send_parse_stall, AT(stall), 0.1,
     MINUTE},
    {NULL, 0, "loss", "PERCENT", "of the datagrams are dropped at random (0)", "0 to 100",
     send_parse_real, AT(loss), 0, 100},
    {NULL, 0, "seed", "N", "of all that is random (1)", "a whole number", send_parse_integer,
     AT(seed), 0, 0x1p63},
    {NULL, 0, "linger", "MS", "IVSHMEM: a stream stays open after its last chunk (50)",
     "0 to 60000", send_parse_ms, AT(linger), 0, MINUTE},

    {"What it says", 'l', "log", "FILE", "a line for all that was sent when (-: stdout)",
     "a file, or -", send_parse_text, AT(log), 0, 0},
    {NULL, 0, "log-bursts", NULL, "a line for each burst too", NULL, send_parse_flag,
     AT(log_bursts), 0, 0},
    {NULL, 'q', "quiet", NULL, "nothing but errors on stderr", NULL, send_parse_flag, AT(quiet), 0,
     0},
    {NULL, 'h', "help", NULL, "this", NULL, send_parse_flag, AT(help), 0, 0},
    {NULL, 0, "version", NULL, "the version", NULL, send_parse_flag, AT(version), 0, 0},
};
#define ROWS (sizeof rows / sizeof rows[0])

void send_options_help(FILE *out)
{
    fputs("scream-send: plays the Windows guest's driver, over UDP or IVSHMEM.\n"
          "Usage: scream-send [OPTION]...    (defaults in parentheses)\n",
          out);
    for (size_t i = 0; i < ROWS; i++) {
        const struct option_row *r = &rows[i];
        char left[64], letter[4] = "   ";
        if (r->group)
            fprintf(out, "\n%s\n", r->group);
        if (r->letter)
            snprintf(letter, sizeof letter, "-%c,", r->letter);
        snprintf(left, sizeof left, "%s --%s %s", letter, r->name, r->value ? r->value : "");
        fprintf(out, "  %-27s %s\n", left, r->help);
    }
    fputs("\nExamples\n"
          "  scream-send -i virbr0 -s chime                  as a guest on libvirt's bridge\n"
          "  scream-send -t 127.0.0.1 -f 96000/24/6 -s walk  each speaker in turn, unicast\n"
          "  scream-send -m /dev/shm/scream -w music.wav     as a guest with shared memory\n",
          out);
}

/* getopt's tables from ours; `val` of a long option is its row, of a letter is the letter. */
static void build_getopt(struct option longs[ROWS + 1], char shorts[2 * ROWS + 2])
{
    char *s = shorts;
    *s++ = ':';
    for (size_t i = 0; i < ROWS; i++) {
        const int takes = rows[i].value ? required_argument : no_argument;
        longs[i] = (struct option){.name = rows[i].name, .has_arg = takes, .val = 256 + (int)i};
        if (!rows[i].letter)
            continue;
        *s++ = rows[i].letter;
        if (rows[i].value)
            *s++ = ':';
    }
    *s = '\0';
    longs[ROWS] = (struct option){0};
}

static const struct option_row *find_row(int val)
{
    for (size_t i = 0; i < ROWS; i++)
        if (val == 256 + (int)i || val == rows[i].letter)
            return &rows[i];
    return NULL;
}

static bool was_given(const bool given[ROWS], size_t field)
{
    for (size_t i = 0; i < ROWS; i++)
        if (given[i] && rows[i].field == field)
            return true;
    return false;
}

/* Options that do not go together; NULL if all do. */
static const char *conflict(const struct send_options *o, const bool given[ROWS])
{
    if ((o->wav != NULL) + (o->script != NULL) + o->from_stdin > 1)
        return "only one of --wav, --stdin and --script can be the source";
    if (was_given(given, AT(format)) && (o->wav || o->script))
        return "--format: the WAV file or script names its own";
    if (was_given(given, AT(signal)) && (o->wav || o->from_stdin))
        return "--signal: --wav and --stdin bring their own sound";
    if (o->repeat && !o->wav && !o->script)
        return "--repeat needs --wav or --script";
    if (o->shm && (was_given(given, AT(to)) || was_given(given, AT(interface))))
        return "--shm goes to shared memory; --to and --interface are for UDP";
    if (o->shm && o->loss > 0)
        return "--loss drops datagrams; --shm sends none";
    if (o->interface && !IN_MULTICAST(ntohl(o->to.s_addr)) &&
        inet_addr(o->interface) == INADDR_NONE)
        return "--interface: a host is reached by its route; only an ADDR to send from is allowed";
    return NULL;
}

static int parse_all(struct send_options *o, int argc, char **argv, bool given[ROWS],
                     FILE *complaints)
{
    struct option longs[ROWS + 1];
    char shorts[2 * ROWS + 2];
    int val;
    build_getopt(longs, shorts);
    optind = 0; /* starts anew, whoever parsed before */
    opterr = 0;
    while (!o->help && !o->version && (val = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const struct option_row *row = find_row(val);
        if (!row) {
            fprintf(complaints, "scream-send: %s: %s (see --help)\n", argv[optind - 1],
                    val == ':' ? "a value must follow" : "no such option");
            return -EINVAL;
        }
        if (!row->parse(optarg, (char *)o + row->field, row->min, row->max)) {
            fprintf(complaints, "scream-send: --%s: '%s' is not allowed: %s\n", row->name, optarg,
                    row->allowed);
            return -EINVAL;
        }
        given[row - rows] = true;
    }
    if (!o->help && !o->version && optind < argc) {
        fprintf(complaints, "scream-send: '%s': only options are allowed (see --help)\n",
                argv[optind]);
        return -EINVAL;
    }
    return 0;
}

int send_options_parse(struct send_options *o, int argc, char **argv, FILE *complaints)
{
    bool given[ROWS] = {false};
    *o = (struct send_options){
        .to.s_addr = inet_addr(DEFAULT_GROUP),
        .port = 4010,
        .ttl = 1,
        .shm_mib = 2,
        .format = {.rate = 48000, .width = 16, .channels = 2, .mask = 0x0003},
        .signal = SIGNAL_SINE,
        .duration = INT64_MAX,
        .packets = UINT64_MAX,
        .speed = 1,
        .burst = 10 * NS_PER_MS,
        .linger = 50 * NS_PER_MS,
        .seed = 1,
    };
    const int err = parse_all(o, argc, argv, given, complaints);
    if (err < 0 || o->help || o->version)
        return err;
    const char *why = conflict(o, given);
    if (!why)
        return 0;
    fprintf(complaints, "scream-send: %s\n", why);
    return -EINVAL;
}

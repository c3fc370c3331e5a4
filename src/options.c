#include "options.h"

#include "options_take.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#define AUTO_SERVER_MS 50 /* what outputs may count with until there is reason to ask for more */

struct option_row {
    char letter;          /* 0: none */
    const char *name;     /* the long one */
    const char *argument; /* for --help; NULL: a flag */
    const char *help;
    option_take *take;
};

static const struct option_row rows[] = {
    {'u', "unicast", NULL, "receive what is sent to this host, not to a group", option_unicast},
    {'p', "port", "PORT", "UDP port (4010)", option_port},
    {'i', "interface", "IFACE", "only this interface, by name or IPv4 address (all)",
     option_interface},
    {'g', "group", "ADDRESS", "multicast group (239.255.77.77)", option_group},
    {0, "allow", "ADDRESS[/N]", "hear only this sender or network; repeatable (all)", option_allow},
    {'m', "shm", "FILE", "receive from this IVSHMEM file instead of the network", option_shm},
    {'P', "pcap", NULL, "sniff the packets (libpcap): not in this version", option_pcap},
    {'o', "output", "OUTPUT", "where to play: see below (auto)", option_output},
    {'d', "device", "DEVICE", "alsa: device (default); wav: file (scream.wav)", option_device},
    {'s', "sink", "SINK", "pulse, pipewire: sink to play to (the default one)", option_sink},
    {'n', "name", "NAME", "the stream's name in mixers (Scream)", option_name},
    {'t', "target", "MS", "latency to hold, or auto: as low as possible (auto)", option_target},
    {'l', "limit", "MS", "latency never exceeded for longer than a second (200)", option_limit},
    {'c', "no-connect", NULL, "do not connect to a sink or to ports", option_no_connect},
    {0, "exact", NULL, "samples unaltered: the guest's clock is not followed", option_exact},
    {0, "check", NULL, "look at what these options need, tell, and end", option_check},
    {0, "no-sandbox", NULL, "for debuggers: do not confine the receiving thread",
     option_no_sandbox},
    {'v', "verbose", NULL, "say more", option_verbose},
    {'h', "help", NULL, "print this", option_help},
    {0, "version", NULL, "print the version", option_version},
};
#define ROWS ((int)(sizeof rows / sizeof rows[0]))

static void build_getopt(struct option longs[ROWS + 1], char shorts[2 * ROWS + 2])
{
    char *s = shorts;
    *s++ = ':';
    for (int i = 0; i < ROWS; i++) {
        longs[i] = (struct option){rows[i].name, rows[i].argument ? 1 : 0, NULL, 0x100 + i};
        if (!rows[i].letter)
            continue;
        *s++ = rows[i].letter;
        if (rows[i].argument)
            *s++ = ':';
    }
    *s = '\0';
    longs[ROWS] = (struct option){0};
}

static const struct option_row *row_of(int value)
{
    if (value >= 0x100)
        return &rows[value - 0x100];
    for (int i = 0; i < ROWS; i++)
        if (rows[i].letter == value)
            return &rows[i];
    return NULL;
}

/* What the single options cannot see. */
static int check(struct options *o, char *why, size_t size)
{
    const bool sniffs = strcmp(o->receiver_name, "pcap") == 0;
    if (o->receiver.file && sniffs) {
        option_say(why, size, "-P and -m exclude each other: shared memory has no packets");
        return -EINVAL;
    }
    if (o->receiver.file)
        o->receiver_name = "ivshmem";
    for (const struct receiver_absent *a = receiver_absent; a->name; a++)
        if (strcmp(o->receiver_name, a->name) == 0) {
            option_say(why, size, "%s: the %s receiver is %s",
                       sniffs             ? "-P"
                       : o->receiver.file ? "-m"
                                          : "without -m",
                       a->name, a->why);
            return -EINVAL;
        }
    if (o->receiver.unicast && o->receiver.group) {
        option_say(why, size, "-u and -g exclude each other: unicast has no group");
        return -EINVAL;
    }
    if (o->receiver.file && o->receiver.allow.count > 0) {
        option_say(why, size, "--allow and -m exclude each other: shared memory has no senders");
        return -EINVAL;
    }
    if (o->target > o->bound) {
        option_say(why, size, "-t %ld: is above the limit, -l %ld; raise that too or lower this",
                   (long)(o->target / NS_PER_MS), (long)(o->bound / NS_PER_MS));
        return -EINVAL;
    }
    o->output.target_latency = o->target ? o->target : AUTO_SERVER_MS * NS_PER_MS;
    if (o->output.target_latency > o->bound / 2)
        o->output.target_latency = o->bound / 2;
    return 0;
}

/* getopt's complaint about argv[optind - 1], in our words. */
static int complain(int c, const char *given, char *why, size_t size)
{
    const struct option_row *row = row_of(optopt);
    if (c == ':')
        option_say(why, size, "%s: needs a value, %s", given, row ? row->argument : "see --help");
    else if (optopt >= 0x100)
        option_say(why, size, "%s: takes no value", given);
    else if (optopt)
        option_say(why, size, "-%c: no such option; see --help", optopt);
    else
        option_say(why, size, "%s: no such option, or short for several; see --help", given);
    return -EINVAL;
}

static int refuse(const struct option_row *row, const char *value, const char *reason, char *why,
                  size_t size)
{
    if (row->letter)
        option_say(why, size, "-%c '%s': %s", row->letter, value, reason);
    else
        option_say(why, size, "--%s '%s': %s", row->name, value, reason);
    return -EINVAL;
}

int options_parse(struct options *o, int argc, char *const argv[], char *why, size_t size)
{
    struct option longs[ROWS + 1];
    char shorts[2 * ROWS + 2], reason[256];
    *o = (struct options){
        .receiver = {.port = SCREAM_DEFAULT_PORT},
        .receiver_name = "udp",
        .output_name = OPTIONS_AUTO,
        .output = {.stream_name = OPTIONS_NAME},
        .bound = OPTIONS_BOUND_MS * NS_PER_MS,
    };
    build_getopt(longs, shorts);
    optind = 0; /* glibc and musl: scan from the start */
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (c == '?' || c == ':')
            return complain(c, argv[optind - 1], why, size);
        const struct option_row *row = row_of(c);
        if (!row->take(o, optarg, reason, sizeof reason))
            return refuse(row, optarg, reason, why, size);
        if (o->action == OPTIONS_HELP || o->action == OPTIONS_VERSION)
            return 0;
    }
    if (optind < argc) {
        option_say(why, size, "%s: an argument too many; scream takes options only, see --help",
                   argv[optind]);
        return -EINVAL;
    }
    return check(o, why, size);
}

void options_help(FILE *to)
{
    fprintf(to, "Usage: scream [OPTION]...\n"
                "Plays the sound of a Windows guest with the Scream driver.\n\n");
    for (int i = 0; i < ROWS; i++) {
        const struct option_row *r = &rows[i];
        char names[40];
        snprintf(names, sizeof names, "%c%c%s--%s%s%s", r->letter ? '-' : ' ',
                 r->letter ? r->letter : ' ', r->letter ? ", " : "  ", r->name,
                 r->argument ? " " : "", r->argument ? r->argument : "");
        fprintf(to, "  %-23s %s\n", names, r->help);
    }
    fprintf(to, "\nOutputs, auto takes the first that answers:\n");
    for (const struct output_driver *const *d = output_table; *d; d++)
        fprintf(to, "  %-10s %s%s\n", (*d)->name, (*d)->summary,
                (*d)->flags & OUTPUT_AUTOMATIC ? "" : " (only when named)");
    fprintf(to, "\nExamples:\n"
                "  scream -i virbr0                 a guest on libvirt's default network\n"
                "  scream -m /dev/shm/scream        a guest with an IVSHMEM device\n"
                "  scream -o raw | aplay -t raw -f cd    the bytes as the guest sent them\n");
}

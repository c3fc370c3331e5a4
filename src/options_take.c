#include "options_take.h"

#include "clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool option_say(char *why, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, size, fmt, args);
    va_end(args);
    return false;
}

static bool whole_number(const char *text, long low, long high, long *out)
{
    char *end;
    errno = 0;
    const long v = strtol(text, &end, 10);
    if (errno || end == text || *end != '\0' || v < low || v > high)
        return false;
    *out = v;
    return true;
}

bool option_unicast(struct options *o, const char *value, char *why, size_t size)
{
    (void)value, (void)why, (void)size;
    o->receiver.unicast = true;
    return true;
}

bool option_port(struct options *o, const char *value, char *why, size_t size)
{
    long port;
    if (!whole_number(value, 1, 65535, &port))
        return option_say(why, size, "a port is a number from 1 to 65535");
    o->receiver.port = (uint16_t)port;
    return true;
}

bool option_interface(struct options *o, const char *value, char *why, size_t size)
{
    struct in_addr address;
    const size_t length = strlen(value);
    const bool name = length > 0 && length < 16 && !strpbrk(value, "/ :");
    if (!name && inet_pton(AF_INET, value, &address) != 1)
        return option_say(why, size, "an interface's name (see `ip link`) or its IPv4 address");
    o->receiver.interface = value;
    return true;
}

bool option_group(struct options *o, const char *value, char *why, size_t size)
{
    struct in_addr address;
    if (inet_pton(AF_INET, value, &address) != 1 || !IN_MULTICAST(ntohl(address.s_addr)))
        return option_say(why, size, "an IPv4 multicast address, 224.0.0.0 to 239.255.255.255");
    o->receiver.group = value;
    return true;
}

bool option_allow(struct options *o, const char *value, char *why, size_t size)
{
    struct allow *a = &o->receiver.allow;
    if (a->count == ALLOW_MOST)
        return option_say(why, size, "no more than %d of them; a network takes many in",
                          ALLOW_MOST);
    if (!allow_parse(value, &a->list[a->count]))
        return option_say(why, size, "an IPv4 address, or a network such as 192.168.122.0/24");
    a->count++;
    return true;
}

bool option_shm(struct options *o, const char *value, char *why, size_t size)
{
    if (*value == '\0')
        return option_say(why, size, "the path of the shared-memory file, such as /dev/shm/scream");
    o->receiver.file = value;
    return true;
}

bool option_pcap(struct options *o, const char *value, char *why, size_t size)
{
    (void)value, (void)why, (void)size;
    o->receiver_name = "pcap";
    return true;
}

static size_t list_outputs(char *buf, size_t size)
{
    size_t n = (size_t)snprintf(buf, size, OPTIONS_AUTO);
    for (const struct output_driver *const *d = output_table; *d && n < size; d++)
        n += (size_t)snprintf(buf + n, size - n, ", %s", (*d)->name);
    return n;
}

bool option_output(struct options *o, const char *value, char *why, size_t size)
{
    char names[128];
    o->output_name = value;
    if (strcmp(value, OPTIONS_AUTO) == 0 || output_find(value))
        return true;
    list_outputs(names, sizeof names);
    for (const struct output_absent *a = output_absent; a->name; a++)
        if (strcmp(value, a->name) == 0)
            return a->remedy ? option_say(why, size,
                                          "left out of this build, which has %s; "
                                          "%s and run make again",
                                          names, a->remedy)
                             : option_say(why, size, "not in this version, which has %s", names);
    return option_say(why, size, "one of %s", names);
}

bool option_device(struct options *o, const char *value, char *why, size_t size)
{
    if (*value == '\0')
        return option_say(why, size, "the name of a device or a file");
    o->output.device = value;
    return true;
}

bool option_sink(struct options *o, const char *value, char *why, size_t size)
{
    (void)why, (void)size;
    o->output.sink = value;
    return true;
}

bool option_name(struct options *o, const char *value, char *why, size_t size)
{
    if (*value == '\0')
        return option_say(why, size, "a name that a mixer can show");
    o->output.stream_name = value;
    return true;
}

bool option_target(struct options *o, const char *value, char *why, size_t size)
{
    long ms = 0;
    if (strcmp(value, "auto") != 0 && !whole_number(value, 1, 2000, &ms))
        return option_say(why, size, "milliseconds from 1 to 2000, or auto");
    o->target = ms * NS_PER_MS;
    return true;
}

bool option_limit(struct options *o, const char *value, char *why, size_t size)
{
    long ms;
    if (!whole_number(value, 20, 2000, &ms))
        return option_say(why, size, "milliseconds from 20 to 2000");
    o->bound = ms * NS_PER_MS;
    return true;
}

bool option_no_connect(struct options *o, const char *value, char *why, size_t size)
{
    (void)value, (void)why, (void)size;
    o->output.no_connect = true;
    return true;
}

bool option_check(struct options *o, const char *value, char *why, size_t size)
{
    (void)value, (void)why, (void)size;
    o->action = OPTIONS_CHECK;
    return true;
}

bool option_exact(struct options *o, const char *value, char *why, size_t size)
{
    (void)value, (void)why, (void)size;
    o->exact = true;
    return true;
}

bool option_no_sandbox(struct options *o, const char *value, char *why, size_t size)
{
    (void)value, (void)why, (void)size;
    o->no_sandbox = true;
    return true;
}

bool option_verbose(struct options *o, const char *value, char *why, size_t size)
{
    (void)value, (void)why, (void)size;
    o->verbose = true;
    return true;
}

bool option_help(struct options *o, const char *value, char *why, size_t size)
{
    (void)value, (void)why, (void)size;
    o->action = OPTIONS_HELP;
    return true;
}

bool option_version(struct options *o, const char *value, char *why, size_t size)
{
    (void)value, (void)why, (void)size;
    o->action = OPTIONS_VERSION;
    return true;
}

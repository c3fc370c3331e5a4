/* Options that were given, and mean nothing to the output or the receiver. */
#include "options.h"

#include <stdio.h>
#include <string.h>

static bool has_device(const struct options *o)
{
    return o->output.device != NULL;
}

static bool has_sink(const struct options *o)
{
    return o->output.sink != NULL;
}

static bool has_name(const struct options *o)
{
    return strcmp(o->output.stream_name, OPTIONS_NAME) != 0;
}

static bool has_target(const struct options *o)
{
    return o->target != 0;
}

static bool has_limit(const struct options *o)
{
    return o->bound != OPTIONS_BOUND_MS * NS_PER_MS;
}

static bool has_no_connect(const struct options *o)
{
    return o->output.no_connect;
}

static bool has_unicast(const struct options *o)
{
    return o->receiver.unicast;
}

static bool has_port(const struct options *o)
{
    return o->receiver.port != SCREAM_DEFAULT_PORT;
}

static bool has_interface(const struct options *o)
{
    return o->receiver.interface != NULL;
}

static bool has_group(const struct options *o)
{
    return o->receiver.group != NULL;
}

struct row {
    char letter;
    bool (*given)(const struct options *o);
};

static const struct row of_outputs[] = {{'d', has_device}, {'s', has_sink},  {'n', has_name},
                                        {'t', has_target}, {'l', has_limit}, {'c', has_no_connect}};
static const struct row of_receivers[] = {
    {'u', has_unicast}, {'p', has_port}, {'i', has_interface}, {'g', has_group}};

static bool unused(const struct options *o, const struct row *rows, size_t count, const char *uses,
                   char *buf, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < count && n < size; i++)
        if (rows[i].given(o) && !strchr(uses, rows[i].letter))
            n += (size_t)snprintf(buf + n, size - n, "%s-%c", n ? ", " : "", rows[i].letter);
    return n > 0;
}

bool options_unused(const struct options *o, const struct output_driver *driver, char *buf,
                    size_t size)
{
    return unused(o, of_outputs, sizeof of_outputs / sizeof of_outputs[0], driver->uses, buf, size);
}

bool options_unused_by_receiver(const struct options *o, const struct receiver_driver *driver,
                                char *buf, size_t size)
{
    return unused(o, of_receivers, sizeof of_receivers / sizeof of_receivers[0], driver->uses, buf,
                  size);
}

/* Options that were given, and mean nothing to the output that is to play. */
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

static const struct {
    char letter;
    bool (*given)(const struct options *o);
} rows[] = {{'d', has_device}, {'s', has_sink},  {'n', has_name},
            {'t', has_target}, {'l', has_limit}, {'c', has_no_connect}};

bool options_unused(const struct options *o, const struct output_driver *driver, char *buf,
                    size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && n < size; i++)
        if (rows[i].given(o) && !strchr(driver->uses, rows[i].letter))
            n += (size_t)snprintf(buf + n, size - n, "%s-%c", n ? ", " : "", rows[i].letter);
    return n > 0;
}

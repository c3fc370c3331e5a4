/* A voice in words. */
#include "voice_internal.h"

#include "log.h"

#include <stdio.h>

void voice_source_text(const struct voice *v, char *buf, size_t size)
{
    const struct source_id id = stream_source(&v->stream);
    if (id.address == 0)
        snprintf(buf, size, "shared memory");
    else
        snprintf(buf, size, "%u.%u.%u.%u", id.address >> 24, id.address >> 16 & 255,
                 id.address >> 8 & 255, id.address & 255);
}

void voice_describe(const struct voice *v, char *buf, size_t size)
{
    char format[64], source[32], output[160];
    pcm_format_text(&v->format, format, sizeof format);
    voice_source_text(v, source, sizeof source);
    if (v->output)
        v->driver->describe(v->output, output, sizeof output);
    else
        snprintf(output, sizeof output, "no output");
    snprintf(buf, size, "%s from %s on %s", format, source, output);
}

void voice_tell_unused(struct voice *v, const struct output_driver *driver)
{
    char unused[64];
    if (v->told != driver && options_unused(v->options, driver, unused, sizeof unused))
        log_warning("the output %s has no use for %s", driver->name, unused);
    v->told = driver;
}

void voice_tell_cut(struct voice *v, int64_t now)
{
    const int64_t most = player_most_stored(v->player), asked = v->options->target;
    if (asked > most && !v->exact)
        telling_say(&v->telling, now, LOG_LEVEL_WARNING,
                    "-t %.0f: of this format there is room for %.0f ms, which is held instead",
                    (double)asked / NS_PER_MS, (double)most / NS_PER_MS);
}

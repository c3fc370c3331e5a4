#include "check_parts.h"

#include "clock.h"
#include "notify.h"
#include "player.h"
#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUBJECT "output"

/* Opens it as a guest's usual format would. 0 with what it is in `text`, or -errno with why not. */
static int open_once(const struct output_driver *d, const struct output_config *config,
                     struct stream *stream, char *text, size_t size)
{
    const struct player_config wish = {
        .stream = stream,
        .source = {.rate = 48000, .width = 16, .channels = 2, .mask = 3},
        .bound = 200 * NS_PER_MS,
        .steer = true,
    };
    struct player *player;
    struct output *o;
    snprintf(text, size, "out of memory");
    int err = player_open(&player, &wish);
    if (err < 0)
        return err;
    err = d->open(&o, config, &wish.source, player, text, size);
    if (err == 0) {
        o->driver = d;
        d->describe(o, text, size);
        d->stop(o);
        d->close(o);
    }
    player_close(player);
    return err;
}

static int try_output(const struct output_driver *d, const struct options *options, char *text,
                      size_t size)
{
    struct stream stream;
    struct notifier notifier;
    struct output_config config = options->output;
    snprintf(text, size, "out of memory");
    int err = notifier_init(&notifier);
    if (err < 0)
        return err;
    err = stream_init(&stream, 0);
    if (err == 0) {
        config.notifier = &notifier;
        config.type = SAMPLE_F32;
        err = open_once(d, &config, &stream, text, size);
        stream_finish(&stream);
    }
    notifier_finish(&notifier);
    return err;
}

static void note_unused(const struct output_driver *d, const struct options *options,
                        struct findings *f)
{
    char unused[64];
    if (options_unused(options, d, unused, sizeof unused))
        findings_add(f, FINDING_NOTE, SUBJECT, NULL, "%s has no use for %s", d->name, unused);
}

static void check_rehearsed(const struct output_driver *d, const struct options *options,
                            struct findings *f)
{
    char text[256];
    if (d->rehearse(&options->output, text, sizeof text) < 0)
        findings_add_clause(f, FINDING_WRONG, SUBJECT, text);
    else
        findings_add(f, FINDING_OK, SUBJECT, NULL, "%s: %s", d->name, text);
}

static void check_named(const struct output_driver *d, const struct options *options,
                        struct findings *f)
{
    char text[256];
    note_unused(d, options, f);
    if (d->rehearse) {
        check_rehearsed(d, options, f);
        return;
    }
    if (d->flags & OUTPUT_EXACT) { /* opening it would leave something behind */
        findings_add(f, FINDING_OK, SUBJECT, NULL, "%s: %s", d->name, d->summary);
        return;
    }
    if (try_output(d, options, text, sizeof text) < 0)
        findings_add_clause(f, FINDING_WAITING, SUBJECT, text);
    else
        findings_add(f, FINDING_OK, SUBJECT, NULL, "%s: %s", d->name, text);
}

static const char *remedy_for_none(void)
{
    if (geteuid() == 0)
        return "sound servers belong to the user who is logged in: run scream as that user, not as "
               "root";
    return "start one, by `systemctl --user start pipewire wireplumber pipewire-pulse` or "
           "`pulseaudio --start`; `pactl info` shows whether it answers";
}

/* The first that opens, as auto would take it. */
static void check_automatic(const struct options *options, struct findings *f)
{
    char tried[256] = "", text[256];
    size_t n = 0;
    for (const struct output_driver *const *d = output_table; *d; d++) {
        if (!((*d)->flags & OUTPUT_AUTOMATIC))
            continue;
        int err = (*d)->probe(&options->output);
        if (err == 0)
            err = try_output(*d, options, text, sizeof text);
        if (err == 0) {
            findings_add(f, FINDING_OK, SUBJECT, NULL, "%s: %s%s%s%s", (*d)->name, text,
                         n ? " (not to be had: " : "", tried, n ? ")" : "");
            note_unused(*d, options, f);
            return;
        }
        if (n < sizeof tried)
            n += (size_t)snprintf(tried + n, sizeof tried - n, "%s%s, %s", n ? "; " : "",
                                  (*d)->name, strerror(-err));
    }
    findings_add(f, FINDING_WAITING, SUBJECT, remedy_for_none(),
                 "no sound server or device answers (%s)", tried);
}

void check_output(const struct options *options, struct findings *f)
{
    const struct output_driver *named = output_find(options->output_name);
    if (named)
        check_named(named, options, f);
    else
        check_automatic(options, f);
}

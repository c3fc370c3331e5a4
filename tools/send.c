/* scream-send: the guest's driver as a tool. See --help and send_log.h. */
#include "send_log.h"
#include "send_options.h"
#include "send_play.h"
#include "send_script.h"
#include "send_sink.h"
#include "send_source.h"
#include "send_wait.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2

/* An exit status: EXIT_SUCCESS, EXIT_USAGE for what is written in it, or EXIT_FAILURE. */
static int read_script(struct script *script, const struct send_options *o)
{
    const char *why;
    size_t line;
    FILE *file = fopen(o->script, "re");
    if (!file) {
        send_complain("--script: %s: %s", o->script, strerror(errno));
        return EXIT_FAILURE;
    }
    const int err = script_read(script, file, o->signal, &line, &why);
    fclose(file);
    if (err < 0)
        send_complain("--script: %s:%zu: %s", o->script, line, why);
    return err == 0 ? EXIT_SUCCESS : err == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
}

static void announce(const struct send_parts *parts)
{
    char format[64];
    pcm_format_text(&parts->source->format, format, sizeof format);
    if (parts->script)
        send_complain("a script of %zu steps to %s", parts->script->count, parts->sink->where);
    else
        send_complain("%s, %s, to %s", parts->source->name, format, parts->sink->where);
}

static int finish(const struct send_parts *parts, const struct send_totals *totals, int err)
{
    const char *remedy = err == -ENETUNREACH || err == -ENETDOWN
                             ? "; --interface names the one that multicast leaves by"
                             : "";
    if (err < 0)
        send_complain("to %s: %s%s", parts->sink->where, strerror(-err), remedy);
    else if (totals->failure != 0)
        send_complain("%" PRIu64 " lost, some of them here: %s", totals->lost,
                      strerror(-totals->failure));
    else if (!parts->options->quiet)
        send_complain("%" PRIu64 " sent, %" PRIu64 " lost", totals->units - totals->lost,
                      totals->lost);
    return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int play(const struct send_options *o, const struct script *script,
                const struct send_wait *wait, const struct send_log *log)
{
    struct send_totals totals;
    struct send_source source;
    struct send_sink *sink;
    int status = EXIT_FAILURE;
    if (send_source_open(&source, o, wait) < 0)
        goto out_source;
    if ((o->shm ? send_shm_open : send_udp_open)(&sink, o) < 0)
        goto out_source;
    const struct send_parts parts = {o, script, &source, sink, log, wait};
    if (!o->quiet)
        announce(&parts);
    status = finish(&parts, &totals, send_play(&parts, &totals));
    sink->ops->close(sink);
out_source:
    send_source_close(&source);
    return status;
}

static int run(const struct send_options *o)
{
    struct script script = {0};
    struct send_wait wait;
    struct send_log log;
    int status = o->script ? read_script(&script, o) : EXIT_SUCCESS;
    if (status != EXIT_SUCCESS)
        return status;
    status = EXIT_FAILURE;
    const int err = send_wait_open(&wait);
    if (err < 0) {
        send_complain("no timer: %s", strerror(-err));
        goto out_script;
    }
    if (send_log_open(&log, o->log, o->log_bursts) < 0)
        goto out_wait;
    status = play(o, o->script ? &script : NULL, &wait, &log);
    if (send_log_close(&log) < 0)
        status = EXIT_FAILURE;
out_wait:
    send_wait_close(&wait);
out_script:
    script_finish(&script);
    return status;
}

int main(int argc, char **argv)
{
    struct send_options options;
    signal(SIGPIPE, SIG_IGN); /* a log's reader may go: that is an error at the log's end */
    if (send_options_parse(&options, argc, argv, stderr) < 0)
        return EXIT_USAGE;
    if (options.help)
        send_options_help(stdout);
    else if (options.version)
        puts("scream-send " SCREAM_VERSION);
    else
        return run(&options);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

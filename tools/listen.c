/* scream-listen: judges a recording of what scream-send sent. */
#include "listen_options.h"
#include "listen_print.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RENDER_FRAMES 1024

struct job {
    struct listen_options options;
    struct recording recording;
    struct segment_list segments;
    struct timeline line;
    struct track_request request;
};

static int render(const struct listen_options *o)
{
    uint64_t frames = (uint64_t)(o->render * o->sent.rate);
    uint8_t buf[RENDER_FRAMES * PCM_MAX_FRAME_BYTES];

    for (uint64_t at = 0; at < frames; at += RENDER_FRAMES) {
        uint32_t count = frames - at < RENDER_FRAMES ? (uint32_t)(frames - at) : RENDER_FRAMES;
        signal_render(o->signal, &o->sent, at, count, buf);
        if (fwrite(buf, pcm_frame_bytes(&o->sent), count, stdout) != count)
            return -errno;
    }
    return fflush(stdout) ? -errno : 0;
}

static int what_was_sent(struct job *j)
{
    const struct listen_options *o = &j->options;

    if (!o->log) {
        struct segment s = {
            .format = o->sent, .signal = o->signal, .frames = FRAMES_UNKNOWN, .speed = 1};
        return segment_add(&j->segments, &s);
    }
    FILE *log = fopen(o->log, "r");
    if (!log)
        return -errno;
    int err = segments_read_log(&j->segments, log);
    fclose(log);
    return err ? err : j->segments.count ? 0 : -ENODATA;
}

static int what_was_heard(struct job *j)
{
    const struct listen_options *o = &j->options;
    struct recording *r = &j->recording;
    int fd = o->input ? open(o->input, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;

    if (fd < 0)
        return -errno;
    int err = recording_read(r, fd);
    if (o->input)
        close(fd);
    return err;
}

/* Left out options are as the first segment was sent. */
static void describe(struct job *j)
{
    const struct listen_options *o = &j->options;
    const struct pcm_format *sent = &j->segments.at[0].format;
    struct recording *r = &j->recording;

    if (!recording_take_header(r)) {
        r->skip = 0;
        r->type = o->typed ? o->type : sample_type_of(sent->width);
        r->rate = o->rate ? o->rate : sent->rate;
        r->channels = o->channels ? o->channels : sent->channels;
    }
    recording_count(r);
}

static void prepare(struct job *j)
{
    const struct listen_options *o = &j->options;
    struct track_request *q = &j->request;

    q->mode = o->mode;
    q->recording = &j->recording;
    q->segments = j->segments.at;
    q->n_segments = j->segments.count;
    q->tolerance = track_tolerance(q->recording, &q->segments[0].format);
    if (o->tolerance >= 0)
        q->tolerance = (int64_t)(o->tolerance * 65536);
    q->line = !o->input && timeline_fit(&j->line, &j->recording) ? &j->line : NULL;
    for (int i = 0; i < TRACK_CHANNELS; i++)
        q->map[i] = o->mapped ? o->map[i] : i < PCM_MAX_CHANNELS ? (int8_t)i : HOLDS_SILENCE;
}

static int listen_to(struct job *j)
{
    struct run_list runs;
    struct verdict verdict;
    struct report report = {&j->request, &runs, &verdict};

    int err = track(&j->request, &runs);
    if (err)
        goto free_runs;
    err = judge(&verdict, &j->request, &runs);
    if (!err)
        (j->options.json ? print_json : print_text)(stdout, &report);
    judge_finish(&verdict);
free_runs:
    runs_finish(&runs);
    return err;
}

static int run(struct job *j)
{
    const struct listen_options *o = &j->options;

    if (o->render > 0)
        return render(o);
    /* the recording first: the log is complete when the recording ends */
    int err = what_was_heard(j);
    if (!err)
        err = what_was_sent(j);
    if (err)
        return err;
    describe(j);
    if (j->recording.channels < 1 || j->recording.channels > TRACK_CHANNELS)
        return -EINVAL;
    prepare(j);
    if (o->save)
        err = recording_save(&j->recording, o->save);
    return err ? err : listen_to(j);
}

int main(int argc, char **argv)
{
    struct job job = {0};

    if (listen_options_parse(&job.options, argc, argv))
        return 2;
    if (job.options.help) {
        listen_options_help(stdout);
        return 0;
    }
    int err = run(&job);
    if (err)
        fprintf(stderr, "scream-listen: %s\n", strerror(-err));
    recording_finish(&job.recording);
    segments_finish(&job.segments);
    return err ? 1 : 0;
}

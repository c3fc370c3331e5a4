#include "told.h"

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct told told;

int64_t told_clock(void)
{
    return told.now;
}

struct fake {
    struct output output;
};

static int server_probe(const struct output_config *config)
{
    if (!told.server_answers && told.place)
        lookout_name(config->lookout, told.place);
    return told.server_answers ? 0 : -ECONNREFUSED;
}

static int device_probe(const struct output_config *config)
{
    (void)config;
    told.device_asked++;
    return told.device_answers ? 0 : -ENOENT;
}

static void takes_its_time(void)
{
    told.first = told.first ? told.first : told.now;
    told.last = told.now;
    told.now += told.takes;
}

static int fake_open(struct output **out, const struct output_config *config,
                     const struct pcm_format *source, struct player *player, char *why, size_t size)
{
    snprintf(why, size, "it is told to");
    takes_its_time();
    struct fake *f = calloc(1, sizeof *f);
    struct player_sink sink = {
        .type = sample_type_of(source->width), .rate = source->rate, .quantum = 480};
    chmap_from_mask(&sink.map, source->mask, source->channels);
    f->output.notifier = config->notifier;
    told.player = player;
    told.format = *source;
    told.opened++;
    *out = &f->output;
    return player_set_sink(player, &sink);
}

static int server_open(struct output **out, const struct output_config *config,
                       const struct pcm_format *source, struct player *player, char *why,
                       size_t size)
{
    told.tried++;
    if (told.server_answers && !told.server_refuses)
        return fake_open(out, config, source, player, why, size);
    takes_its_time();
    if (!told.server_answers && told.place)
        lookout_name(config->lookout, told.place);
    snprintf(why, size, "it has no sink");
    return -ENOENT;
}

static int fake_start(struct output *o)
{
    told.name = o->driver->name;
    if (told.fails_at_once)
        output_fail(o, -EIO);
    return 0;
}

static int fake_pause(struct output *o)
{
    (void)o;
    told.resting = told.player;
    told.player = NULL;
    told.paused++;
    return 0;
}

static int fake_resume(struct output *o)
{
    (void)o;
    told.player = told.resting;
    return told.player ? 0 : -EIO;
}

static void fake_stop(struct output *o)
{
    (void)o;
    told.player = NULL;
}

static void fake_close(struct output *o)
{
    told.now += told.closing;
    free(o);
}

static void fake_describe(const struct output *o, char *buf, size_t size)
{
    (void)o;
    snprintf(buf, size, "fake");
}

const struct output_driver told_server = {
    .name = "server",
    .flags = OUTPUT_AUTOMATIC,
    .uses = "",
    .probe = server_probe,
    .open = server_open,
    .start = fake_start,
    .pause = fake_pause,
    .resume = fake_resume,
    .stop = fake_stop,
    .close = fake_close,
    .describe = fake_describe,
};
static const struct output_driver device = {
    .name = "device",
    .flags = OUTPUT_AUTOMATIC | OUTPUT_DEVICE,
    .uses = "",
    .probe = device_probe,
    .open = fake_open,
    .start = fake_start,
    .pause = fake_pause,
    .resume = fake_resume,
    .stop = fake_stop,
    .close = fake_close,
    .describe = fake_describe,
};
const struct output_driver told_exact = {
    .name = "exact",
    .flags = OUTPUT_EXACT,
    .uses = "",
    .probe = server_probe,
    .open = fake_open,
    .start = fake_start,
    .stop = fake_stop,
    .close = fake_close,
    .describe = fake_describe,
};
const struct output_driver *const told_table[] = {&told_server, &device, NULL};

void told_place_make(char *folder, char *path, size_t size)
{
    strcpy(folder, "/tmp/scream-test-voice-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, size, "%s/run/socket", folder);
    told.place = path;
}

void told_place_remove(const char *folder)
{
    char command[128];
    told.place = NULL;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

void told_place_appear(const char *folder, const char *path)
{
    char run[96];
    snprintf(run, sizeof run, "%s/run", folder);
    mkdir(run, 0700);
    fclose(fopen(path, "w"));
}

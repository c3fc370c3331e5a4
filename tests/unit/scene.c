#include "scene.h"

#include "test.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void lo_describe(const struct receiver *r, char *buf, size_t size)
{
    (void)r;
    snprintf(buf, size, "unicast on lo");
}

static int lo_read(struct receiver *r, int wake_fd, struct packet *packets, int max)
{
    (void)packets, (void)max;
    const struct lo *lo = (const struct lo *)r;
    struct pollfd p = {.fd = lo->block_fd < 0 ? wake_fd : lo->block_fd, .events = POLLIN};
    ppoll(&p, 1, NULL, NULL);
    return 0;
}

static const struct receiver_driver lo_driver = {
    .name = "lo", .read = lo_read, .describe = lo_describe};

static void box_describe(const struct output *o, char *buf, size_t size)
{
    (void)o;
    snprintf(buf, size, "a box");
}

static const struct output_driver box_driver = {.name = "box", .describe = box_describe};

int scene_alone(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    return setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", 1); /* no RealtimeKit */
}

void scene_begin(struct scene *s)
{
    memset(s, 0, sizeof *s);
    told.now = NS_PER_S;
    s->receiver.base.driver = &lo_driver;
    s->receiver.base.counters = &s->counters;
    s->receiver.block_fd = -1;
    s->voice.driver = &box_driver;
    s->voice.output = &s->box;
    s->voice.format = (struct pcm_format){.rate = 48000, .width = 16, .channels = 2, .mask = 3};
    s->view.receiver = &s->receiver.base;
    s->view.waiting = "";
    s->view.voice = &s->voice;
    assert_int_equal(stream_init(&s->voice.stream, 0), 0);
    assert_int_equal(notifier_init(&s->notifier), 0);
    stream_begin(&s->voice.stream, &s->voice.format,
                 (struct source_id){.address = 0xc0a87a32, .port = 1});
    status_init(&s->status, told_clock);
}

void scene_end(struct scene *s)
{
    ingest_stop(s->view.ingest);
    notifier_finish(&s->notifier);
    stream_finish(&s->voice.stream);
}

void scene_listen(struct scene *s)
{
    assert_int_equal(ingest_start(&s->view.ingest, &s->receiver.base, &s->voice.stream,
                                  &s->notifier, true, true),
                     0);
}

int64_t scene_turn(struct scene *s, int64_t passed)
{
    int64_t next = INT64_MAX;
    told.now += passed;
    status_turn(&s->status, &s->view, &next);
    return next;
}

#include "fed.h"

#include "clock.h"
#include "test.h"

#include <poll.h>
#include <string.h>

int fed_open(struct fed *f, const struct output_driver *driver, const struct pcm_format *format,
             const char *device)
{
    memset(f, 0, sizeof *f);
    f->format = *format;
    int err = stream_init(&f->stream, 0);
    if (err == 0)
        err = notifier_init(&f->notifier);
    if (err < 0)
        return err;
    f->config = (struct output_config){.device = device,
                                       .type = sample_type_of(format->width),
                                       .stream_name = "test",
                                       .target_latency = 40 * NS_PER_MS,
                                       .notifier = &f->notifier};
    stream_begin(&f->stream, format, (struct source_id){0});
    stream_commit(&f->stream);
    stream_pass(&f->stream);
    /* Much, so that a machine with other things to do does not make it run dry. */
    const struct player_config config = {.stream = &f->stream,
                                         .source = *format,
                                         .target = 150 * NS_PER_MS,
                                         .bound = 300 * NS_PER_MS};
    err = player_open(&f->player, &config);
    if (err == 0)
        err = driver->open(&f->out, &f->config, format, f->player, f->why, sizeof f->why);
    if (err < 0)
        return err;
    f->out->driver = driver; /* as the session does */
    return 0;
}

void fed_close(struct fed *f)
{
    if (f->out)
        f->out->driver->close(f->out);
    player_close(f->player);
    notifier_finish(&f->notifier);
    stream_finish(&f->stream);
}

uint8_t fed_byte(uint64_t n)
{
    return (uint8_t)((n * 2654435761u) >> 13);
}

bool fed_send(struct fed *f, uint32_t bytes)
{
    uint8_t pcm[SCREAM_PAYLOAD];
    const uint64_t lost = count_read(&f->stream.counters.overrun_bytes);
    for (uint32_t done = 0, n; done < bytes; done += n) {
        n = bytes - done < sizeof pcm ? bytes - done : (uint32_t)sizeof pcm;
        for (uint32_t i = 0; i < n; i++)
            pcm[i] = fed_byte(f->sent + i);
        stream_write(&f->stream, pcm, n, clock_now());
        f->sent += n;
    }
    stream_commit(&f->stream);
    return lost == count_read(&f->stream.counters.overrun_bytes);
}

bool fed_play(struct fed *f, int ms, const atomic_ulong *reached, unsigned long enough)
{
    const int64_t begin = clock_now();
    const uint64_t from = f->sent;
    for (int64_t passed = 0; passed < ms * NS_PER_MS; passed = clock_now() - begin) {
        if (reached && atomic_load(reached) >= enough)
            return true;
        while (f->sent - from < pcm_bytes_of(&f->format, passed))
            fed_send(f, SCREAM_PAYLOAD);
        poll(NULL, 0, 2); /* the guest's own pace */
    }
    return !reached;
}

bool fed_fails(struct fed *f, int ms)
{
    struct pollfd fd = {.fd = f->notifier.fd, .events = POLLIN};
    return poll(&fd, 1, ms) > 0 && notifier_take(&f->notifier) & NOTIFY_OUTPUT &&
           atomic_load(&f->out->failure) != 0;
}

void fed_stop_is_quick(struct fed *f)
{
    const int64_t before = clock_now();
    f->out->driver->stop(f->out);
    assert_true(clock_now() - before < 400 * NS_PER_MS);
}

/*
 * The whole player, from packets to an output's buffer: formats, bursts, pauses, an output's requests and
 * delays as the input has them, and a clock that goes forward by anything.
 */
#include "../../src/clock.h"
#include "../../src/player.h"
#include "../../src/sample.h"
#include "../../src/stream.h"
#include "input.h"

#include <math.h>

#define MOST 1024 /* frames of a request */

struct play {
    struct stream stream;
    struct player *player;
    struct player_learnt learnt;
    struct player_sink sink;
    struct pcm_format format; /* that the guest sends */
    int64_t now;
    bool begun, steer;
    uint8_t seed;
};

/* As much as may be written, so that any more shows. */
static uint8_t *room_for(const struct play *p, uint32_t frames)
{
    uint8_t *room = malloc((size_t)frames * sample_bytes(p->sink.type) * p->sink.map.channels);
    MUST(room || frames == 0);
    return room;
}

static void open_player(struct play *p, struct input *in)
{
    const uint8_t how = input_8(in);
    const struct player_config config = {
        .learnt = &p->learnt,
        .stream = &p->stream,
        .source = p->stream.playing,
        .target = how & 1 ? (int64_t)(1 + input_8(in)) * NS_PER_MS : 0,
        .bound = 300 * NS_PER_MS,
        .steer = how & 2,
    };
    p->sink = (struct player_sink){
        .type = how & 2 ? SAMPLE_F32 : (enum sample_type)(how >> 2 & 3),
        .rate = config.source.rate,
        .quantum = 1 + input_16(in) % MOST,
        .queued = how & 16,
    };
    p->steer = config.steer;
    chmap_from_mask(&p->sink.map, input_16(in), (uint8_t)(1 + (how >> 5)));
    MUST(player_open(&p->player, &config) == 0);
    MUST(player_set_sink(p->player, &p->sink) == 0);
}

static void close_player(struct play *p)
{
    player_close(p->player);
    p->player = NULL;
}

/* As a voice does it: the newest format that has begun. */
static void attend(struct play *p, struct input *in)
{
    if (p->player && player_finished(p->player))
        close_player(p);
    if (!p->player && stream_pass_to_newest(&p->stream))
        open_player(p, in);
}

static void guest(struct play *p, struct input *in, uint8_t how)
{
    uint8_t pcm[SCREAM_PAYLOAD], wire[PCM_WIRE_BYTES];
    if (!p->begun || how & 1) {
        struct pcm_format f;
        input_take(in, wire, sizeof wire);
        if (pcm_format_parse(wire, &f) != PCM_OK)
            return;
        if (!p->begun || how & 2 || !pcm_format_equal(&f, &p->format))
            stream_begin(&p->stream, &f, (struct source_id){1, 1});
        p->begun = true;
        p->format = f;
    }
    for (unsigned n = how >> 2 & 31; n > 0; n--) {
        for (size_t i = 0; i < sizeof pcm; i++)
            pcm[i] = p->seed = (uint8_t)(p->seed * 5 + 3);
        stream_write(&p->stream, pcm, sizeof pcm, p->now);
    }
    stream_commit(&p->stream);
}

static void check_samples(const struct play *p, const void *room, uint32_t frames)
{
    const float *x = room;
    if (p->sink.type != SAMPLE_F32)
        return;
    for (uint32_t i = 0; i < frames * p->sink.map.channels; i++)
        MUST(isfinite(x[i]) && x[i] > -8 && x[i] < 8);
}

static void output(struct play *p, struct input *in, uint8_t how)
{
    const uint32_t most = input_16(in) % MOST, least = how & 1 ? most : most / 3;
    const int64_t delay = (int64_t)(int32_t)input_32(in) >> (how >> 3 & 7);
    uint8_t *room = room_for(p, most);
    if (p->sink.queued) {
        const struct player_moment m = {.now = p->now,
                                        .delay = delay,
                                        .held = delay > 0 ? delay / 2 : 0,
                                        .period = how & 4 ? input_16(in) % MOST : 0};
        const uint32_t n = player_pour(p->player, room, least, most, &m);
        MUST(n >= least && n <= most);
        check_samples(p, room, n);
    } else {
        player_fill(p->player, room, most, p->now, delay);
        check_samples(p, room, most);
    }
    free(room);
    const double ratio = player_ratio(p->player);
    MUST(ratio > 0.9 && ratio < 1.1);
}

static void step(struct play *p, struct input *in)
{
    const uint8_t what = input_8(in);
    p->now += (int64_t)input_16(in) << (what >> 4);
    switch (what & 3) {
    case 0:
    case 1:
        guest(p, in, input_8(in));
        break;
    case 2:
        if (p->player)
            output(p, in, input_8(in));
        break;
    default:
        if (p->player && what & 4)
            player_ran_dry(p->player);
        else if (p->player && what & 8)
            player_end(p->player);
    }
    attend(p, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input in = {bytes, size};
    static struct play p;
    p = (struct play){.now = NS_PER_S};
    MUST(stream_init(&p.stream, 0) == 0);
    while (in.left > 0)
        step(&p, &in);
    close_player(&p);
    stream_finish(&p.stream);
    return 0;
}

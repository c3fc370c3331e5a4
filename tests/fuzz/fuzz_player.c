/*
 * The whole player, from packets to an output's buffer: formats, bursts, pauses, an output's requests,
 * delays, pauses and breaks as the input has them, and a clock that goes forward by anything.
 */
#include "../../src/clock.h"
#include "../../src/player.h"
#include "../../src/resample.h"
#include "../../src/sample.h"
#include "again.h"

#include <math.h>

#define MOST   1024      /* frames of a request */
#define WORK   (1 << 14) /* samples of an input's requests, all in all, */
#define LONG   (1 << 19) /* or so many when it begins with 'l': a sound settles after 3 s */
#define CHUNK  (192000 / 50 * PCM_MAX_FRAME_BYTES)
#define ROUNDS 32

struct play {
    struct stream stream;
    struct player *player;
    struct player_learnt learnt;
    struct player_sink sink;
    struct pcm_format format; /* that the guest sends */
    int64_t now;
    int64_t left; /* samples of work */
    bool begun, exact, asleep;
    uint8_t seed;
};

/* ---- resamplers: their tables take longer to make than all the rest does ---- */

static struct resampler *pool[PCM_MAX_CHANNELS + 1];
static bool lent[PCM_MAX_CHANNELS + 1];

/* Put in their places by the linker (fuzz.mk), and those behind them. */
int __wrap_resampler_open(struct resampler **out, uint32_t channels, double nominal);
void __wrap_resampler_close(struct resampler *r);
int __real_resampler_open(struct resampler **out, uint32_t channels, double nominal);

int __wrap_resampler_open(struct resampler **out, uint32_t channels, double nominal)
{
    MUST(channels >= 1 && channels <= PCM_MAX_CHANNELS && !lent[channels]);
    if (!pool[channels])
        MUST(__real_resampler_open(&pool[channels], channels, nominal) == 0);
    lent[channels] = true;
    *out = pool[channels];
    resampler_reset(*out);
    return 0;
}

void __wrap_resampler_close(struct resampler *r)
{
    for (int i = 1; r && i <= PCM_MAX_CHANNELS; i++)
        if (pool[i] == r)
            lent[i] = false;
}

/* What the player owes to the stream. */
void __wrap_stream_read(struct stream *s, uint8_t *dst, uint64_t bytes);
void __real_stream_read(struct stream *s, uint8_t *dst, uint64_t bytes);

void __wrap_stream_read(struct stream *s, uint8_t *dst, uint64_t bytes)
{
    MUST(bytes <= s->ready);
    __real_stream_read(s, dst, bytes);
}

/* ---- the control thread's part ---- */

static void open_player(struct play *p, struct input *in)
{
    const uint8_t how = input_8(in), more = input_8(in);
    const struct player_config config = {
        .learnt = &p->learnt,
        .stream = &p->stream,
        .source = p->stream.playing,
        .target = how & 1 ? (int64_t)(1 + input_8(in)) * NS_PER_MS : 0,
        .bound = 300 * NS_PER_MS,
        .steer = how & 2,
    };
    p->exact = !(how & 2) && more & 1;
    p->asleep = false;
    p->sink = (struct player_sink){
        .type = (enum sample_type)(how >> 2 & 3),
        .rate = config.source.rate,
        .quantum = 1 + input_16(in) % MOST,
        .queued = how & 16,
    };
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

static void happens(struct play *p, uint8_t how)
{
    switch (how & 3) {
    case 0:
        player_ran_dry(p->player);
        break;
    case 1:
        player_break(p->player, p->now);
        break;
    case 2:
        player_resume(p->player);
        break;
    default:
        if (how & 4)
            player_end(p->player);
        else
            MUST(player_set_sink(p->player, &p->sink) == 0);
    }
}

/* ---- the guest's ---- */

static const uint8_t *some_pcm(struct play *p)
{
    static uint8_t noise[CHUNK + UINT8_MAX + 1];
    if (noise[1] == 0)
        for (size_t i = 1; i < sizeof noise; i++)
            noise[i] = (uint8_t)(noise[i - 1] * 5u + 3 + (i >> 8));
    p->seed = (uint8_t)(p->seed * 5 + 3);
    return noise + p->seed;
}

static void send(struct play *p, uint32_t bytes)
{
    stream_write(&p->stream, some_pcm(p), bytes, p->now);
}

static void guest(struct play *p, struct input *in, uint8_t how)
{
    uint8_t wire[PCM_WIRE_BYTES];
    uint32_t bytes = SCREAM_PAYLOAD;
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
    if ((how & 0xc0) == 0x40)
        bytes -= input_8(in) * 4; /* as after a loss */
    else if ((how & 0xc0) == 0x80)
        bytes = (uint32_t)pcm_bytes_of(&p->format, 20 * NS_PER_MS);
    for (unsigned n = how >> 2 & 15; n > 0; n--)
        send(p, bytes);
    stream_commit(&p->stream);
}

/* ---- the output's ---- */

/* As much as may be written, so that any more shows, and no number, so that any less does. */
static uint8_t *room_for(const struct play *p, uint32_t frames)
{
    const size_t bytes = (size_t)frames * sample_bytes(p->sink.type) * p->sink.map.channels;
    uint8_t *room = malloc(bytes);
    MUST(room || frames == 0);
    if (bytes > 0)
        memset(room, 0xff, bytes);
    return room;
}

static void check_samples(const struct play *p, const void *room, uint32_t frames)
{
    const float *x = room;
    if (p->sink.type != SAMPLE_F32)
        return;
    for (uint32_t i = 0; i < frames * p->sink.map.channels; i++)
        MUST(isfinite(x[i]) && x[i] > -8 && x[i] < 8);
}

static void request(struct play *p, uint32_t least, uint32_t most, const struct player_moment *m)
{
    uint8_t *room = room_for(p, most);
    if (p->sink.queued) {
        const uint32_t n = player_pour(p->player, room, least, most, m);
        MUST(n >= least && n <= most);
        check_samples(p, room, n);
    } else {
        player_fill(p->player, room, most, m->now, m->delay);
        check_samples(p, room, most);
    }
    free(room);
    p->left -= (int64_t)most * p->format.channels;
    const double ratio = player_ratio(p->player);
    MUST(ratio > 0.9 && ratio < 1.1);
}

/* Bytes as they are; who has found none and sleeps is woken by the next. */
static void take(struct play *p, uint32_t max)
{
    eventfd_t count;
    uint8_t *room = malloc(max + 1);
    const uint32_t n = player_take(p->player, room, max);
    MUST(room && n <= max && n % pcm_frame_bytes(&p->stream.playing) == 0);
    free(room);
    p->left -= max / 2;
    const bool woken = eventfd_read(player_wake_fd(p->player), &count) == 0;
    MUST(n == 0 || !p->asleep || woken);
    p->asleep = n == 0 && max >= PCM_MAX_FRAME_BYTES && player_sleep(p->player) &&
                !player_finished(p->player);
}

static uint32_t some_frames(struct input *in)
{
    const uint8_t v = input_8(in);
    return v < 192 ? v : (v - 191u) * (MOST / 64);
}

static void output(struct play *p, struct input *in, uint8_t how)
{
    const uint32_t most = some_frames(in), least = how & 1 ? most : most / 3;
    if (p->exact) {
        take(p, most * 4);
        return;
    }
    const int64_t delay = (int64_t)(int32_t)input_32(in) >> (how >> 3 & 7);
    int64_t held = delay > 0 ? delay / 2 : 0;
    if ((how & 0xc0) == 0x40)
        held = -(int64_t)(input_16(in)) * 1000;
    const struct player_moment m = {
        .now = p->now, .delay = delay, .held = held, .period = how & 4 ? input_16(in) % MOST : 0};
    request(p, least, most, &m);
}

/* Both at their rate, for some rounds: what only a sound that goes on comes to. */
static void play_on(struct play *p, struct input *in, uint8_t how)
{
    const uint32_t frames = 1 + some_frames(in), frame = pcm_frame_bytes(&p->format);
    const int64_t lasts = pcm_frames_ns(frames, p->format.rate);
    const int64_t held = p->sink.queued ? lasts : 0;
    for (unsigned n = how % ROUNDS; n > 0 && p->left > 0 && !player_finished(p->player); n--) {
        const uint16_t late = how & 0x80 ? input_16(in) : 0;
        p->now += lasts + late * 4;
        if (late < 0xff00) /* else it is lost */
            send(p, frames * frame);
        stream_commit(&p->stream);
        if (p->exact)
            take(p, frames * frame);
        else
            request(
                p, p->sink.queued ? 0 : frames, frames,
                &(struct player_moment){.now = p->now, .delay = held + NS_PER_MS, .held = held});
    }
}

static void step(struct play *p, struct input *in)
{
    const uint8_t what = input_8(in);
    p->now += (int64_t)input_16(in) << (what >> 4);
    if ((what & 7) < 3)
        guest(p, in, input_8(in));
    else if (p->player && (what & 7) < 5)
        output(p, in, input_8(in));
    else if (p->player && (what & 7) == 5)
        play_on(p, in, input_8(in));
    else if (p->player)
        happens(p, input_8(in));
    attend(p, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct again again;
    static struct play p;
    struct input in = {bytes, size};
    memset(&p, 0, sizeof p);
    p.now = NS_PER_S;
    p.left = size > 0 && bytes[0] == 'l' ? LONG : WORK;
    again_stream(&again, &p.stream);
    while (in.left > 0 && p.left > 0)
        step(&p, &in);
    close_player(&p);
    return 0;
}

/* A player is made, told of its output, and ends. */
#include "memory.h"
#include "player_internal.h"

#include <errno.h>

int player_open(struct player **out, const struct player_config *config)
{
    struct player *p = memory_take(sizeof *p);
    if (!p)
        return -ENOMEM;
    p->config = *config;
    p->frame_bytes = pcm_frame_bytes(&config->source);
    p->source_type = sample_type_of(config->source.width);
    p->room = STREAM_SLOTS / 4 * 3 * SCREAM_PAYLOAD / p->frame_bytes;
    p->fade_frames = (uint32_t)player_frames(p, FADE_NS);
    if (p->fade_frames > FADE_MAX)
        p->fade_frames = FADE_MAX;
    atomic_init(&p->finished, false);
    atomic_init(&p->ending, false);
    atomic_init(&p->resting, PLAYER_BUSY);
    p->learnt = config->learnt ? config->learnt : &p->own;
    p->noise = 1;
    p->fresh = FRESH_S;
    if (config->steer) {
        const int err = resampler_open(&p->resampler, config->source.channels, 1);
        if (err < 0) {
            memory_give(p, sizeof *p);
            return err;
        }
        p->flush = RESAMPLE_HALF + 2; /* the ratio may be less than 1 */
    }
    *out = p;
    return 0;
}

void player_close(struct player *p)
{
    if (p)
        resampler_close(p->resampler);
    memory_give(p, sizeof *p);
}

int64_t player_most_stored(const struct player *p)
{
    return pcm_frames_ns(p->room, p->config.source.rate);
}

int player_set_sink(struct player *p, const struct player_sink *sink)
{
    if (sink->rate != p->config.source.rate || sink->map.channels < 1 ||
        sink->map.channels > PCM_MAX_CHANNELS)
        return -EINVAL;
    struct chmap source;
    chmap_from_mask(&source, p->config.source.mask, p->config.source.channels);
    p->sink = *sink;
    p->sink_frame_bytes = sample_bytes(sink->type) * sink->map.channels;
    p->quantum = sink->quantum;
    p->reserve = sink->queued ? (uint32_t)player_frames(p, RESERVE_NS) : 0;
    player_learn(p);
    chmix_build(&p->mix, &source, &sink->map);
    p->plain = !p->resampler && p->mix.identity && sink->type == p->source_type;
    return 0;
}

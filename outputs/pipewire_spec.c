#include "pipewire_spec.h"

#include "../src/clock.h"

#define QUANTUM_MIN     64
#define QUANTUM_MAX     2048
#define QUANTUM_DEFAULT 1024
#define LATE_MAX_NS     (500 * NS_PER_MS) /* a cycle that began longer ago is no cycle of now */

static const uint32_t position[CHPOS_COUNT] = {
    [CHPOS_FL] = SPA_AUDIO_CHANNEL_FL,     [CHPOS_FR] = SPA_AUDIO_CHANNEL_FR,
    [CHPOS_FC] = SPA_AUDIO_CHANNEL_FC,     [CHPOS_LFE] = SPA_AUDIO_CHANNEL_LFE,
    [CHPOS_BL] = SPA_AUDIO_CHANNEL_RL,     [CHPOS_BR] = SPA_AUDIO_CHANNEL_RR,
    [CHPOS_FLC] = SPA_AUDIO_CHANNEL_FLC,   [CHPOS_FRC] = SPA_AUDIO_CHANNEL_FRC,
    [CHPOS_BC] = SPA_AUDIO_CHANNEL_RC,     [CHPOS_SL] = SPA_AUDIO_CHANNEL_SL,
    [CHPOS_SR] = SPA_AUDIO_CHANNEL_SR,     [CHPOS_TC] = SPA_AUDIO_CHANNEL_TC,
    [CHPOS_TFL] = SPA_AUDIO_CHANNEL_TFL,   [CHPOS_TFC] = SPA_AUDIO_CHANNEL_TFC,
    [CHPOS_TFR] = SPA_AUDIO_CHANNEL_TFR,   [CHPOS_TBL] = SPA_AUDIO_CHANNEL_TRL,
    [CHPOS_MONO] = SPA_AUDIO_CHANNEL_MONO,
};

static const enum spa_audio_format format[] = {
    [SAMPLE_S16] = SPA_AUDIO_FORMAT_S16_LE,
    [SAMPLE_S24_3] = SPA_AUDIO_FORMAT_S24_LE,
    [SAMPLE_S32] = SPA_AUDIO_FORMAT_S32_LE,
    [SAMPLE_F32] = SPA_AUDIO_FORMAT_F32_LE,
};

void pipewire_audio_info(struct spa_audio_info_raw *out, const struct pcm_format *source,
                         enum sample_type type)
{
    struct chmap map;
    chmap_from_mask(&map, source->mask, source->channels);
    *out = (struct spa_audio_info_raw){
        .format = format[type], .rate = source->rate, .channels = map.channels};
    for (uint8_t i = 0; i < map.channels; i++)
        out->position[i] = position[map.pos[i]];
}

uint32_t pipewire_quantum(int64_t target_latency)
{
    if (target_latency <= 0)
        return QUANTUM_DEFAULT;
    uint32_t quantum = QUANTUM_MAX;
    while (quantum > QUANTUM_MIN &&
           pcm_frames_ns(quantum, PIPEWIRE_QUANTUM_RATE) > target_latency / 2)
        quantum /= 2;
    return quantum;
}

struct pw_properties *pipewire_stream_properties(const struct output_config *config, uint32_t rate)
{
    struct pw_properties *about = pw_properties_new(
        PW_KEY_MEDIA_TYPE, "Audio", PW_KEY_MEDIA_CATEGORY, "Playback", PW_KEY_MEDIA_ROLE, "Game",
        PW_KEY_APP_NAME, "Scream", PW_KEY_APP_ID, "scream", PW_KEY_APP_VERSION, SCREAM_VERSION,
        PW_KEY_APP_ICON_NAME, "computer", PW_KEY_MEDIA_ICON_NAME, "computer", NULL);
    if (!about)
        return NULL;
    pw_properties_set(about, PW_KEY_MEDIA_NAME, config->stream_name);
    pw_properties_set(about, PW_KEY_NODE_NAME, config->stream_name);
    pw_properties_set(about, PW_KEY_NODE_DESCRIPTION, config->stream_name);
    pw_properties_setf(about, PW_KEY_NODE_LATENCY, "%u/%u",
                       pipewire_quantum(config->target_latency), PIPEWIRE_QUANTUM_RATE);
    pw_properties_setf(about, PW_KEY_NODE_RATE, "1/%u", rate);
    if (config->sink)
        pw_properties_set(about, PW_KEY_TARGET_OBJECT, config->sink);
    return about;
}

/*
 * t->now is when the driver of the graph began this cycle by its own clock, free of how late this
 * thread was woken: with it as `now`, the figures are the same in each cycle. What is written in a
 * cycle leaves the graph in the same cycle, so the cycle's length is no part of the way; what lies
 * behind the graph (a device's buffer, counted in graph frames) is t->delay. Before it come what the
 * adapter's resampler holds back and what is queued, in frames of the stream.
 */
struct pipewire_moment pipewire_moment(const struct pw_time *t, uint32_t rate, int64_t clock)
{
    struct pipewire_moment m = {.now = t->now,
                                .delay = pcm_frames_ns(t->buffered + t->queued, rate)};
    if (t->rate.denom > 0)
        m.delay += t->delay * (int64_t)t->rate.num * NS_PER_S / (int64_t)t->rate.denom;
    if (clock - t->now > LATE_MAX_NS || t->now - clock > LATE_MAX_NS)
        m.now = clock; /* no driver yet, or one with another clock */
    return m;
}

#include "alsa_chmap.h"

#include <string.h>

#define NOBODY CHPOS_COUNT

static const struct {
    enum snd_pcm_chmap_position theirs;
    enum chpos ours;
} speakers[] = {
    {SND_CHMAP_MONO, CHPOS_MONO}, {SND_CHMAP_FL, CHPOS_FL},   {SND_CHMAP_FR, CHPOS_FR},
    {SND_CHMAP_RL, CHPOS_BL},     {SND_CHMAP_RR, CHPOS_BR},   {SND_CHMAP_FC, CHPOS_FC},
    {SND_CHMAP_LFE, CHPOS_LFE},   {SND_CHMAP_SL, CHPOS_SL},   {SND_CHMAP_SR, CHPOS_SR},
    {SND_CHMAP_RC, CHPOS_BC},     {SND_CHMAP_FLC, CHPOS_FLC}, {SND_CHMAP_FRC, CHPOS_FRC},
    {SND_CHMAP_TC, CHPOS_TC},     {SND_CHMAP_TFL, CHPOS_TFL}, {SND_CHMAP_TFR, CHPOS_TFR},
    {SND_CHMAP_TFC, CHPOS_TFC},   {SND_CHMAP_TRL, CHPOS_TBL},
};

static const uint8_t usual[PCM_MAX_CHANNELS] = {CHPOS_FL, CHPOS_FR,  CHPOS_BL, CHPOS_BR,
                                                CHPOS_FC, CHPOS_LFE, CHPOS_SL, CHPOS_SR};

/* Where a device tells nothing, these counts have no convention: the pulse plugin, for one, sends
 * their last channel to "aux0". */
static bool without_convention(uint8_t channels)
{
    return channels == 3 || channels == 7;
}

void alsa_chmap_usual(struct chmap *map, uint8_t channels)
{
    *map = (struct chmap){.channels = channels};
    memcpy(map->pos, usual, channels);
    if (channels == 1)
        map->pos[0] = CHPOS_MONO;
    else if (channels == 3)
        map->pos[2] = CHPOS_LFE; /* alsa.conf's surround21 */
    else if (channels == 7)
        map->pos[6] = CHPOS_BC;
}

static bool holds(const struct chmap *map, uint8_t pos)
{
    return memchr(map->pos, pos, map->channels) != NULL;
}

static uint8_t speaker_of(unsigned told)
{
    for (size_t i = 0; i < sizeof speakers / sizeof speakers[0]; i++)
        if (speakers[i].theirs == (told & SND_CHMAP_POSITION_MASK))
            return (uint8_t)speakers[i].ours;
    return NOBODY;
}

/* A name that nobody uses, from the far end, where no sound is ever folded to. */
static uint8_t silent_speaker(const struct chmap *map, const struct chmap *source)
{
    for (uint8_t pos = CHPOS_TBL; pos > 0; pos--)
        if (!holds(map, pos) && !holds(source, pos))
            return pos;
    return CHPOS_FL;
}

void alsa_chmap_read(struct chmap *map, const snd_pcm_chmap_t *told, uint8_t channels,
                     const struct chmap *source)
{
    alsa_chmap_usual(map, channels);
    if (!told || told->channels != channels)
        return;
    struct chmap read = {.channels = channels};
    uint8_t known = 0;
    memset(read.pos, NOBODY, sizeof read.pos);
    for (uint8_t i = 0; i < channels; i++) {
        const uint8_t pos = speaker_of(told->pos[i]);
        if (pos != NOBODY && !holds(&read, pos)) {
            read.pos[i] = pos;
            known++;
        }
    }
    if (known == 0)
        return;
    for (uint8_t i = 0; i < channels; i++)
        if (read.pos[i] == NOBODY)
            read.pos[i] = silent_speaker(&read, source);
    *map = read;
}

/* Every channel of the source whole, on a speaker that it shares with none. */
static bool each_its_own(const struct chmap *source, const struct chmap *device)
{
    struct chmix mix;
    chmix_build(&mix, source, device);
    int used = 0;
    for (uint8_t out = 0; out < mix.out; out++) {
        int heard = 0;
        for (uint8_t in = 0; in < mix.in; in++) {
            if (mix.gain[out][in] != 0 && mix.gain[out][in] != 1)
                return false;
            heard += mix.gain[out][in] != 0;
        }
        if (heard > 1)
            return false;
        used += heard;
    }
    return used == mix.in;
}

/* The first layout of so many channels, or the first that gives each channel its own speaker. */
static bool choose_of(struct alsa_layout *layout, uint8_t channels,
                      snd_pcm_chmap_query_t *const *offers, const struct chmap *source, bool whole)
{
    struct chmap map;
    if (!offers || !offers[0]) {
        alsa_chmap_usual(&map, channels);
        if (without_convention(channels) || (whole && !each_its_own(source, &map)))
            return false;
        *layout = (struct alsa_layout){.channels = channels};
        return true;
    }
    for (; *offers; offers++) {
        const snd_pcm_chmap_t *offer = &(*offers)->map;
        if (offer->channels != channels)
            continue;
        alsa_chmap_read(&map, offer, channels, source);
        if (whole && !each_its_own(source, &map))
            continue;
        *layout = (struct alsa_layout){.channels = channels, .ask = offer};
        return true;
    }
    return false;
}

void alsa_chmap_choose(struct alsa_layout *layout, uint32_t accepts,
                       snd_pcm_chmap_query_t *const *offers, const struct chmap *source)
{
    const uint8_t wanted = source->channels;
    for (uint8_t n = wanted; n <= PCM_MAX_CHANNELS; n++)
        if (accepts >> n & 1 && choose_of(layout, n, offers, source, true))
            return;
    for (uint8_t n = wanted; n <= PCM_MAX_CHANNELS; n++)
        if (accepts >> n & 1 && choose_of(layout, n, offers, source, false))
            return;
    for (uint8_t n = wanted; n > 0; n--)
        if (accepts >> n & 1 && choose_of(layout, n, offers, source, false))
            return;
    *layout = (struct alsa_layout){0};
    for (uint8_t n = PCM_MAX_CHANNELS; n > 0; n--) /* what it says of its maps helps nobody */
        if (accepts >> n & 1)
            layout->channels = n;
}

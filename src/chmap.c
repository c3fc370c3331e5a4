#include "chmap.h"

#include <stdio.h>
#include <string.h>

#define M3DB    0.70710678f /* -3 dB */
#define NOWHERE CHPOS_COUNT

/* What a guest with so many channels most likely means, as dwChannelMask; 1 is mono. */
static const uint16_t usual_mask[PCM_MAX_CHANNELS + 1] = {
    [2] = 0x003, [3] = 0x007, [4] = 0x033, [5] = 0x037, [6] = 0x03f, [7] = 0x13f, [8] = 0x63f};

static const char *const pos_name[CHPOS_COUNT] = {"FL",  "FR",  "FC",  "LFE", "BL",  "BR",
                                                  "FLC", "FRC", "BC",  "SL",  "SR",  "TC",
                                                  "TFL", "TFC", "TFR", "TBL", "MONO"};

/*
 * Where a speaker's sound goes when the output lacks it: the first row whose speakers it has.
 * ITU-R BS.775 annex 4 for centre and surrounds; it leaves the LFE channel to the listener, who
 * would rather hear it: -6 dB to the front pair.
 */
static const struct fold {
    uint8_t from, to_a, to_b;
    float gain;
} folds[] = {
    {CHPOS_MONO, CHPOS_FL, CHPOS_FR, 1},    {CHPOS_MONO, CHPOS_FC, NOWHERE, 1},
    {CHPOS_FL, CHPOS_FC, NOWHERE, M3DB},    {CHPOS_FR, CHPOS_FC, NOWHERE, M3DB},
    {CHPOS_FL, CHPOS_MONO, NOWHERE, M3DB},  {CHPOS_FR, CHPOS_MONO, NOWHERE, M3DB},
    {CHPOS_FC, CHPOS_FL, CHPOS_FR, M3DB},   {CHPOS_FC, CHPOS_MONO, NOWHERE, 1},
    {CHPOS_LFE, CHPOS_FL, CHPOS_FR, 0.5f},  {CHPOS_LFE, CHPOS_FC, NOWHERE, 0.5f},
    {CHPOS_LFE, CHPOS_MONO, NOWHERE, 0.5f}, {CHPOS_BL, CHPOS_SL, NOWHERE, 1},
    {CHPOS_BR, CHPOS_SR, NOWHERE, 1},       {CHPOS_SL, CHPOS_BL, NOWHERE, 1},
    {CHPOS_SR, CHPOS_BR, NOWHERE, 1},       {CHPOS_BL, CHPOS_FL, NOWHERE, M3DB},
    {CHPOS_BR, CHPOS_FR, NOWHERE, M3DB},    {CHPOS_SL, CHPOS_FL, NOWHERE, M3DB},
    {CHPOS_SR, CHPOS_FR, NOWHERE, M3DB},    {CHPOS_BC, CHPOS_BL, CHPOS_BR, M3DB},
    {CHPOS_BC, CHPOS_SL, CHPOS_SR, M3DB},   {CHPOS_BC, CHPOS_FL, CHPOS_FR, 0.5f},
    {CHPOS_FLC, CHPOS_FL, NOWHERE, 1},      {CHPOS_FRC, CHPOS_FR, NOWHERE, 1},
    {CHPOS_TC, CHPOS_FL, CHPOS_FR, 0.5f},   {CHPOS_TFL, CHPOS_FL, NOWHERE, M3DB},
    {CHPOS_TFR, CHPOS_FR, NOWHERE, M3DB},   {CHPOS_TFC, CHPOS_FC, NOWHERE, M3DB},
    {CHPOS_TFC, CHPOS_FL, CHPOS_FR, 0.5f},  {CHPOS_TBL, CHPOS_BL, NOWHERE, M3DB},
    {CHPOS_TBL, CHPOS_SL, NOWHERE, M3DB},   {CHPOS_TBL, CHPOS_FL, NOWHERE, 0.5f},
};

static bool holds(const struct chmap *map, uint8_t pos)
{
    return memchr(map->pos, pos, map->channels) != NULL;
}

static void add_bits(struct chmap *map, uint32_t mask, uint8_t limit)
{
    for (uint8_t pos = 0; pos < CHPOS_MONO && map->channels < limit; pos++)
        if (mask >> pos & 1 && !holds(map, pos))
            map->pos[map->channels++] = pos;
}

void chmap_default(struct chmap *map, uint8_t channels)
{
    *map = (struct chmap){0};
    if (channels == 1)
        map->pos[map->channels++] = CHPOS_MONO;
    add_bits(map, usual_mask[channels], channels);
}

void chmap_from_mask(struct chmap *map, uint16_t mask, uint8_t channels)
{
    /* The driver marks every plain format 0x0003, a Linux transmitter marks all 0xFFFF. */
    const bool says_nothing = mask == 0 || mask == 0xffff || (mask == 0x0003 && channels != 2);
    const bool centre_alone = channels == 1 && (mask & (mask - 1)) == 0 && mask == 1 << CHPOS_FC;
    if (says_nothing || centre_alone) {
        chmap_default(map, channels);
        return;
    }
    *map = (struct chmap){0};
    add_bits(map, mask, channels);                 /* too many bits: the lowest, as Windows does */
    add_bits(map, usual_mask[channels], channels); /* too few: the usual ones that are left, */
    add_bits(map, 0xffff, channels);               /* then any */
}

bool chmap_equal(const struct chmap *a, const struct chmap *b)
{
    return a->channels == b->channels && memcmp(a->pos, b->pos, a->channels) == 0;
}

static void add_gain(struct chmix *mix, const struct chmap *to, uint8_t pos, uint8_t in, float gain)
{
    for (uint8_t out = 0; out < to->channels; out++)
        if (to->pos[out] == pos)
            mix->gain[out][in] += gain;
}

static void fold_in(struct chmix *mix, const struct chmap *to, uint8_t pos, uint8_t in)
{
    for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++) {
        const struct fold *f = &folds[i];
        if (f->from != pos || !holds(to, f->to_a) || (f->to_b != NOWHERE && !holds(to, f->to_b)))
            continue;
        add_gain(mix, to, f->to_a, in, f->gain);
        add_gain(mix, to, f->to_b, in, f->gain);
        return;
    }
    mix->gain[0][in] += M3DB; /* an output without front speakers: better there than nowhere */
}

/* One factor for all, so that the balance stays. */
static void normalise(struct chmix *mix)
{
    float loudest = 1;
    for (uint8_t out = 0; out < mix->out; out++) {
        float sum = 0;
        for (uint8_t in = 0; in < mix->in; in++)
            sum += mix->gain[out][in];
        if (sum > loudest)
            loudest = sum;
    }
    for (uint8_t out = 0; out < mix->out; out++)
        for (uint8_t in = 0; in < mix->in; in++)
            mix->gain[out][in] /= loudest;
}

void chmix_build(struct chmix *mix, const struct chmap *from, const struct chmap *to)
{
    *mix = (struct chmix){
        .in = from->channels, .out = to->channels, .identity = chmap_equal(from, to)};
    for (uint8_t in = 0; in < from->channels; in++) {
        if (holds(to, from->pos[in]))
            add_gain(mix, to, from->pos[in], in, 1);
        else
            fold_in(mix, to, from->pos[in], in);
    }
    normalise(mix);
}

void chmap_text(const struct chmap *map, char *buf, size_t size)
{
    size_t n = 0;
    buf[0] = '\0';
    for (uint8_t i = 0; i < map->channels && n < size; i++)
        n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? " " : "", pos_name[map->pos[i]]);
}

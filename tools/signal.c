#include "signal.h"

#include <math.h>
#include <string.h>

#define TAU        6.283185307179586
#define FULL_SCALE 2147483647.0
#define M12DB      0.25118864315095801 /* -12 dBFS */

/* ---- noise ---- */

/* Two rounds of multiply and xor-shift after a Weyl step: every bit of frame and channel reaches
 * every bit of the result. */
static uint64_t hash(uint64_t frame, unsigned channel)
{
    uint64_t x = (frame + 1) * 0x9e3779b97f4a7c15u + (channel + 1) * 0xd1342543de82ef95u;
    x = (x ^ x >> 32) * 0xbea225f9eb34556du;
    x = (x ^ x >> 29) * 0x94d049bb133111ebu;
    return x ^ x >> 32;
}

static int32_t noise(const struct pcm_format *f, uint64_t frame, unsigned channel)
{
    (void)f;
    return (int32_t)(uint32_t)(hash(frame, channel) >> 32) >> 1;
}

static int32_t walk(const struct pcm_format *f, uint64_t frame, unsigned channel)
{
    return frame / f->rate % f->channels == channel ? noise(f, frame, channel) : 0;
}

/* ---- tones ---- */

static int32_t to_sample(double value)
{
    return (int32_t)lrint(value * FULL_SCALE);
}

static int32_t silence(const struct pcm_format *f, uint64_t frame, unsigned channel)
{
    (void)f, (void)frame, (void)channel;
    return 0;
}

static int32_t sine(const struct pcm_format *f, uint64_t frame, unsigned channel)
{
    /* The phase in whole steps of 1 / rate: exact after any number of weeks. */
    const uint64_t phase = frame % f->rate * (440 * (channel + 1)) % f->rate;
    return to_sample(M12DB * sin(TAU * (double)phase / f->rate));
}

static int32_t sweep(const struct pcm_format *f, uint64_t frame, unsigned channel)
{
    /* 20 Hz to 20 kHz makes 28924.4 cycles in 10 s; a whole number of them repeats seamlessly. */
    const double cycles = 28924, octaves = 9.965784284662087, length = 10.0 * f->rate;
    const double at = (double)(frame % (10 * (uint64_t)f->rate)) / length;
    (void)channel;
    return to_sample(M12DB * sin(TAU * fmod(cycles * (exp2(at * octaves) - 1) / 999, 1)));
}

/* ---- chime: four chords as arpeggios of soft bells, four notes a second, 8 s a round ---- */

#define NOTES_A_SECOND 4
#define NOTES_A_ROUND  32
#define NOTE_SECONDS   3 /* until the longest partial is gone */
#define SOUNDING       (NOTES_A_SECOND * NOTE_SECONDS)

/* Semitones above A3: Cmaj9, Am9, Fmaj9, G6/9. */
static const int8_t arpeggio[NOTES_A_ROUND] = {-9, 10, 14, 17, 19, 22, 17, 14, -12, 7,  10,
                                               14, 15, 19, 14, 10, -4, 7,  10, 15,  12, 19,
                                               15, 10, -2, 5,  10, 12, 17, 19, 14,  12};

/* Ratio, gain and length of a bell's partials. The sum over all notes that sound at once stays
 * below 0.75 of full scale. */
static const struct partial {
    double ratio, gain, seconds;
} partials[] = {{1, 0.20, NOTE_SECONDS}, {2.001, 0.06, 1.5}, {3.01, 0.03, 0.8}, {5.43, 0.02, 0.3}};

/* Rises in 4 ms, then falls like a decay that, unlike an exponential, truly ends. */
static double envelope(double age, double seconds)
{
    const double left = 1 - age / seconds, rise = age < 0.004 ? age / 0.004 : 1;
    const double cube = left * left * left;
    return cube * cube * rise * rise * (3 - 2 * rise);
}

static double bell(unsigned note, double age)
{
    const double hz = 220 * exp2(arpeggio[note % NOTES_A_ROUND] / 12.0);
    double sum = 0;
    for (size_t i = 0; i < sizeof partials / sizeof partials[0] && age < partials[i].seconds; i++)
        sum += partials[i].gain * envelope(age, partials[i].seconds) *
               sin(TAU * hz * partials[i].ratio * age);
    return sum;
}

/* What sounds at a frame, left and right: each note has a place of its own between them. */
static void chime_pair(uint32_t rate, uint64_t frame, double pair[2])
{
    const uint64_t step = rate / NOTES_A_SECOND, newest = frame / step;
    pair[0] = pair[1] = 0;
    for (uint64_t back = 0; back < SOUNDING && back <= newest; back++) {
        const uint64_t note = newest - back;
        const double sound =
            bell((unsigned)(note % NOTES_A_ROUND), (double)(frame - note * step) / rate);
        const double place = note % 8 == 0 ? 0.5 : 0.15 + 0.7 * (double)(note * 3 % 8) / 7;
        pair[0] += sound * (1 - place);
        pair[1] += sound * place;
    }
}

/* Even channels are left, odd ones right; those beyond the front pair are fainter. */
static int32_t chime_place(const struct pcm_format *f, const double pair[2], unsigned channel)
{
    if (f->channels == 1)
        return to_sample(pair[0] + pair[1]);
    return to_sample(pair[channel & 1] * (channel < 2 ? 1.3 : 0.5));
}

static int32_t chime(const struct pcm_format *f, uint64_t frame, unsigned channel)
{
    double pair[2];
    chime_pair(f->rate, frame, pair);
    return chime_place(f, pair, channel);
}

/* All channels of a frame at the cost of one: real time at 192 kHz with 8 channels. */
static void chime_frame(const struct pcm_format *f, uint64_t frame, int32_t *out)
{
    double pair[2];
    chime_pair(f->rate, frame, pair);
    for (unsigned channel = 0; channel < f->channels; channel++)
        out[channel] = chime_place(f, pair, channel);
}

/* ---- all of them ---- */

static const struct signal_type {
    const char *name;
    int32_t (*sample)(const struct pcm_format *f, uint64_t frame, unsigned channel);
    void (*whole_frame)(const struct pcm_format *f, uint64_t frame, int32_t *out); /* or NULL */
} types[SIGNAL_KINDS] = {
    [SIGNAL_SILENCE] = {"silence", silence, NULL}, [SIGNAL_SINE] = {"sine", sine, NULL},
    [SIGNAL_NOISE] = {"noise", noise, NULL},       [SIGNAL_SWEEP] = {"sweep", sweep, NULL},
    [SIGNAL_WALK] = {"walk", walk, NULL},          [SIGNAL_CHIME] = {"chime", chime, chime_frame},
};

int signal_find(const char *name)
{
    for (int kind = 0; kind < SIGNAL_KINDS; kind++)
        if (strcmp(types[kind].name, name) == 0)
            return kind;
    return -1;
}

const char *signal_name(enum signal_kind kind)
{
    return types[kind].name;
}

int32_t signal_sample(enum signal_kind kind, const struct pcm_format *f, uint64_t frame,
                      unsigned channel)
{
    return types[kind].sample(f, frame, channel);
}

static void all_channels(const struct signal_type *type, const struct pcm_format *f, uint64_t frame,
                         int32_t *out)
{
    if (type->whole_frame) {
        type->whole_frame(f, frame, out);
        return;
    }
    for (unsigned channel = 0; channel < f->channels; channel++)
        out[channel] = type->sample(f, frame, channel);
}

void signal_render(enum signal_kind kind, const struct pcm_format *f, uint64_t first,
                   uint32_t frames, uint8_t *out)
{
    for (uint32_t i = 0; i < frames; i++) {
        int32_t samples[PCM_MAX_CHANNELS];
        all_channels(&types[kind], f, first + i, samples);
        for (unsigned channel = 0; channel < f->channels; channel++)
            for (int shift = 32 - f->width; shift < 32; shift += 8)
                *out++ = (uint8_t)((uint32_t)samples[channel] >> shift);
    }
}

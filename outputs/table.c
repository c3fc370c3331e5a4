/* The outputs of this build, in the order in which `-o auto` tries them. */
#include "drivers.h"

const struct output_driver *const output_table[] = {
#ifdef HAVE_PIPEWIRE
    &pipewire_driver,
#endif
#ifdef HAVE_PULSE
    &pulse_driver,
#endif
#ifdef HAVE_ALSA
    &alsa_driver,
#endif
#ifdef HAVE_RAW
    &raw_driver,
#endif
#ifdef HAVE_WAV
    &wav_driver,
#endif
    NULL,
};

const struct output_absent output_absent[] = {
#ifndef HAVE_PIPEWIRE
    {"pipewire", "install libpipewire-0.3-dev"},
#endif
#ifndef HAVE_PULSE
    {"pulse", "install libpulse-dev"},
#endif
#ifndef HAVE_ALSA
    {"alsa", "install libasound2-dev"},
#endif
#ifndef HAVE_RAW
    {"raw", "add raw to OUTPUTS="},
#endif
#ifndef HAVE_WAV
    {"wav", "add wav to OUTPUTS="},
#endif
    {"jack", NULL},
    {"sndio", NULL},
    {NULL, NULL},
};

/*
 * The drivers, and what is known of those that have a library of their own before it is loaded: the members
 * of struct output_driver up to its functions.
 *
 * In the program these are modules (load.c), so that a library which is not used costs no memory, and
 * one which is not installed no more than its own output. In tests all are linked.
 */
#ifndef SCREAM_OUTPUTS_DRIVERS_H
#define SCREAM_OUTPUTS_DRIVERS_H

#include "../src/output.h"

#ifdef OUTPUTS_LOADED
extern struct output_driver pipewire_driver, pulse_driver, alsa_driver; /* load.c's stand-ins */
#else
extern const struct output_driver pipewire_driver, pulse_driver, alsa_driver;
#endif
extern const struct output_driver raw_driver, wav_driver;

#define ALSA_DEFAULT_DEVICE "default"

#define ABOUT_PIPEWIRE                                                                             \
    .name = "pipewire", .summary = "PipeWire, natively", .flags = OUTPUT_AUTOMATIC, .uses = "sntlc"

#define ABOUT_PULSE                                                                                \
    .name = "pulse", .summary = "PulseAudio, or PipeWire in its place", .flags = OUTPUT_AUTOMATIC, \
    .uses = "sntl"

#define ABOUT_ALSA                                                                                 \
    .name = "alsa", .summary = "an ALSA device; -d DEVICE (" ALSA_DEFAULT_DEVICE ")",              \
    .flags = OUTPUT_AUTOMATIC | OUTPUT_DEVICE, .uses = "dtl"

/* What a module and the program that loads it must agree about: the version and all headers (Makefile). */
extern const char output_abi[];

#endif

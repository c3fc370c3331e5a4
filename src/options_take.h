/* The single options' values, for options.c. */
#ifndef SCREAM_OPTIONS_TAKE_H
#define SCREAM_OPTIONS_TAKE_H

#include "options.h"

/*
 * An option's argument, NULL for a flag, into *o. False: `why` (size bytes, terminated) says what
 * is allowed instead.
 */
typedef bool option_take(struct options *o, const char *value, char *why, size_t size);

option_take option_unicast, option_port, option_interface, option_group, option_allow, option_shm,
    option_pcap, option_output, option_device, option_sink, option_name, option_target,
    option_limit, option_no_connect, option_check, option_no_sandbox, option_verbose, option_exact,
    option_help, option_version;

/* printf into `why`; false, always. */
bool option_say(char *why, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif

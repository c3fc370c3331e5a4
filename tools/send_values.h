/*
 * Values of the command line: text into a field, and nothing but what is allowed. Pure.
 *
 * Each parser takes the text, the field (of the type in its comment) and the least and greatest
 * number allowed, where it has any; false leaves the field's content unspecified.
 */
#ifndef SCREAM_SEND_VALUES_H
#define SCREAM_SEND_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/* Nothing is sent for `length` every `every`, both ns; 0: never. */
struct send_stall {
    int64_t length, every;
};

typedef bool send_parser(const char *text, void *field, double min, double max);

send_parser send_parse_flag;     /* bool; takes no text */
send_parser send_parse_text;     /* const char *; not empty */
send_parser send_parse_wav;      /* const char *; not empty, not "-" */
send_parser send_parse_integer;  /* uint64_t; decimal, or hex after 0x */
send_parser send_parse_size;     /* uint64_t; a power of two */
send_parser send_parse_real;     /* double */
send_parser send_parse_ms;       /* int64_t, ns; the limits are in ms */
send_parser send_parse_duration; /* int64_t, ns; the text is in seconds */
send_parser send_parse_stall;    /* struct send_stall; "MS/EVERY", the limits are in ms */
send_parser send_parse_address;  /* struct in_addr */
send_parser send_parse_format;   /* struct pcm_format */
send_parser send_parse_signal;   /* enum signal_kind */

#endif

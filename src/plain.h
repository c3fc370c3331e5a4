/*
 * Text that somebody else has a part in (names of sinks, interfaces, files; what was given as an option) made
 * fit for a terminal, a log and systemd. Pure.
 */
#ifndef SCREAM_PLAIN_H
#define SCREAM_PLAIN_H

/* In place: each byte of a control character (C0, DEL, C1) and each that is no valid UTF-8 becomes '?'. */
void plain_text(char *text);

#endif

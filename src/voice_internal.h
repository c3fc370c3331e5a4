/*
 * A voice's inside: voice.c (what becomes of it), voice_open.c (finding and opening an output), voice_pause.c
 * (while there is no sound). Control thread only.
 */
#ifndef SCREAM_VOICE_INTERNAL_H
#define SCREAM_VOICE_INTERNAL_H

#include "voice.h"

/* Nothing that comes back by itself: its reader has gone, standard output is no place for sound. */
bool voice_for_ever(const struct voice *v, int error);

/* Takes the format at the front of the stream, or the newest; false: none has got there yet. */
bool voice_take_format(struct voice *v);

/* Takes the newest, whatever the output, and what comes before it is passed over. */
bool voice_take_newest(struct voice *v);

/* What plays, or is paused, is closed: another format has come, which is taken. */
void voice_leave_format(struct voice *v, int64_t now);

/* Fine if there is none. */
void voice_close_output(struct voice *v);

/* What a driver has left pending is of no use any more. */
void voice_abandon_pending(struct voice *v);

/* Of each output once: which of the options given it has no use for. */
void voice_tell_unused(struct voice *v, const struct output_driver *driver);

/* What plays begins: the stream cannot hold as much of its format as -t asks for. */
void voice_tell_cut(struct voice *v, int64_t now);

/* Closed: when to try to open one. */
int64_t voice_open_due(const struct voice *v);

/* Closed: 0, and it plays, or has set `retry`; or -errno when it never will. */
int voice_try_open(struct voice *v, int64_t now);

/* One of the servers that auto prefers answers. Takes up to a second for each that hangs. */
bool voice_server_answers(struct voice *v);

/* Playing: when to look whether there is sound; INT64_MAX: it is never paused. */
int64_t voice_pause_due(const struct voice *v, int64_t now);

/* Pauses when there has been no sound for long enough, and plays again when there is. 0, or -errno: the
 * output has failed. */
int voice_turn_pause(struct voice *v, int64_t now);

#endif

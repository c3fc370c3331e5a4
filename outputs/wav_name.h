/* What a recording's files are called: "scream.wav", "scream-2.wav", ... Any thread. */
#ifndef SCREAM_WAV_NAME_H
#define SCREAM_WAV_NAME_H

#include <limits.h>
#include <stdbool.h>

#define WAV_MOST_NAMES                                                                             \
    9999 /* of one name's files: a guest that changes its format all the time makes no more */

/* 0 or -ENAMETOOLONG; number: from 1 on. */
int wav_name(char path[PATH_MAX], const char *name, unsigned number);

/*
 * A number that is not taken, and 1 or behind one that is; 0: there is none. It asks some two dozen times,
 * however many are taken; of numbers with gaps between them it may choose any gap.
 */
unsigned wav_name_free(bool (*taken)(void *data, unsigned number), void *data);

/* The path with the first number that is free now. 0; -EEXIST: all are taken; or -ENAMETOOLONG. Looks at the disk. */
int wav_name_next(char path[PATH_MAX], const char *name);

#endif

/*
 * Outputs that do what they are told, by a clock that is told too: nothing waits, and what may happen in
 * any order does. Of one voice at a time; its thread is the test's.
 */
#ifndef SCREAM_TOLD_H
#define SCREAM_TOLD_H

#include "output.h"

/* What they are told and have seen. The whole program's, as drivers have no other way to a test. */
struct told {
    struct player *player; /* of the one that plays */
    struct pcm_format format;
    const char *name;
    struct player *resting; /* of the one that is paused */
    int opened, paused, tried, device_asked;
    bool server_answers, device_answers, fails_at_once, server_refuses;
    const char *place;           /* where the server says that it would be */
    int64_t now, takes, closing; /* the clock; what an opening and a closing take of it */
    int64_t first, last;         /* of the openings: when the first began, and the latest one */
};
extern struct told told;

/* told.now, for a voice's clock. */
int64_t told_clock(void);

/* The sound server, and an output that takes every byte. */
extern const struct output_driver told_server, told_exact;

/* What `-o auto` chooses from: that server and a device; NULL ends it. */
extern const struct output_driver *const told_table[];

/* told.place is somewhere in a new folder, whose name has room for 64 characters; nothing is there yet. */
void told_place_make(char *folder, char *path, size_t size);
void told_place_remove(const char *folder);

/* A file comes to be there. */
void told_place_appear(const char *folder, const char *path);

#endif

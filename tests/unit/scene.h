/* A session in little: a receiver, a voice on a box, and the status of both, by the clock of told.h. */
#ifndef SCREAM_SCENE_H
#define SCREAM_SCENE_H

#include "ingest.h"
#include "status.h"
#include "told.h"

struct lo {
    struct receiver base;
    int block_fd; /* what its thread waits for alone, or -1: for wake_fd, as it should */
};

struct scene {
    struct lo receiver;
    struct receiver_counters counters;
    struct notifier notifier;
    struct output box;
    struct voice voice;
    struct status_view view;
    struct status status;
};

/* A group's setup: neither the systemd nor the RealtimeKit of this machine is told anything. */
int scene_alone(void **state);

/* It listens on "lo", to nobody yet, and a format has begun; told.now is not 0. systemd is there before, or is not told. */
void scene_begin(struct scene *s);
void scene_end(struct scene *s);

/* The receiver gets a thread. */
void scene_listen(struct scene *s);

/* A turn, so long after the last one; when the next one has to be. */
int64_t scene_turn(struct scene *s, int64_t passed);

#endif

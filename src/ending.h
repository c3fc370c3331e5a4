/*
 * The end in good time: a library that waits for a server that hangs must not hold up a stop. A thread
 * of its own watches for the signal, while the control thread may be deep inside a driver, and ends
 * the process if that has not ended by itself soon after. Servers see their client's connection close.
 */
#ifndef SCREAM_ENDING_H
#define SCREAM_ENDING_H

#include <pthread.h>

#define ENDING_MS 150 /* from the signal */

struct ending {
    int signal_fd; /* readable from the signal on: nobody reads it */
    int done_fd;
    pthread_t thread;
};

/* Control thread. signal_fd is the caller's, and outlives it. 0 or -errno. */
int ending_init(struct ending *e, int signal_fd);

/* Control thread: all is closed, nothing can hang any more. */
void ending_finish(struct ending *e);

#endif

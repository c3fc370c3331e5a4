/*
 * The receiver thread: packets into a stream.
 *
 * It plays one sender at a time: the first one, until that has been silent for a second. What
 * others send meanwhile is counted and touches nothing; when it is very much, the kernel drops it.
 */
#ifndef SCREAM_INGEST_H
#define SCREAM_INGEST_H

#include "crowd.h"
#include "notify.h"
#include "receiver.h"
#include "stream.h"

#include <stdbool.h>

#define INGEST_SILENCE_NS                                                                          \
    1000000000LL /* a sender silent for so long loses its place to another                         \
                  */

/* Which sender plays. Pure; the receiver thread's. */
struct source_lock {
    bool held;
    struct source_id id;
    int64_t last; /* its latest arrival */
};

enum source_verdict { SOURCE_PLAYS, SOURCE_TAKES_OVER, SOURCE_IGNORED };

enum source_verdict source_lock_judge(struct source_lock *lock, const struct packet *p);

struct ingest;

/*
 * Control thread. Reads the receiver from a thread of its own until ingest_stop(); the receiver is
 * the caller's. A receiver's failure ends the thread and raises NOTIFY_RECEIVER. sandbox: the thread
 * gives up all that it does not need (sandbox.h). tell: what it could not have is said; else that has been. 0
 * or -errno.
 */
int ingest_start(struct ingest **out, struct receiver *r, struct stream *s, struct notifier *n,
                 bool sandbox, bool tell);

/* Control thread: on return nobody writes the stream or reads the receiver. NULL is fine. */
void ingest_stop(struct ingest *in);

/*
 * Control thread: asks the receiver thread to come out of its wait and say so. Not again before it has
 * answered.
 */
void ingest_ask(struct ingest *in);

/* Control thread: it has answered what it was asked, or was never asked. */
bool ingest_answered(const struct ingest *in);

/*
 * Control thread: has the kernel keep a crowd out, and lets it in again (crowd.h); at each turn. When to
 * call again at the latest, INT64_MAX: only after an event.
 */
int64_t ingest_tend(struct ingest *in, int64_t now);

/* Control thread: 0, or the -errno with which the receiver ended. */
int ingest_failure(const struct ingest *in);

#endif

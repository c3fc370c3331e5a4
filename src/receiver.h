/*
 * The receiver contract: a transport becomes packets.
 *
 * A driver is one `const struct receiver_driver` at the bottom of its file, listed in
 * receivers/table.c. Everything that comes from a guest or a network is checked there, once; a
 * struct packet is what has passed.
 */
#ifndef SCREAM_RECEIVER_H
#define SCREAM_RECEIVER_H

#include "allow.h"
#include "counters.h"
#include "packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the user asked for. Strings are the caller's and outlive the receiver. */
struct receiver_config {
    bool unicast;          /* udp: no group; take what is sent to this host */
    const char *interface; /* udp: name or IPv4 address; NULL: every interface */
    const char *group;     /* udp: IPv4 multicast address; NULL: SCREAM_DEFAULT_GROUP */
    uint16_t port;         /* udp, pcap */
    struct allow allow;    /* udp: who may be heard */
    const char *file;      /* ivshmem: path of the shared-memory file */
};

#define RECEIVER_UNTENDED INT64_MAX

struct findings;

/* A driver's own state, whose first member this is. */
struct receiver {
    const struct receiver_driver *driver;
    struct receiver_counters *counters; /* the caller's; outlives the receiver */

    int input_fd; /* immutable, set by open(): what read() reads from; -1: nothing, it only waits */

    /* written by whoever reads the packets, for tend() */
    counter plays; /* the sender that is heard, as source_number() has it; 0: nobody is yet */

    /* control thread's, set by open() and tend() */
    int watch_fd;    /* readable: tend() has something to see; -1: none; may be another one later */
    int64_t tend_at; /* CLOCK_MONOTONIC, ns: tend() has something to do; RECEIVER_UNTENDED: never */
    char waiting[256]; /* what nothing can come without, a clause with the remedy; "": all is there
                        */
};

struct receiver_driver {
    const char *name;    /* as in RECEIVERS=, lower case */
    const char *summary; /* for --help, one line */
    const char *uses;    /* of the options -u -p -i -g: those that mean something to it, "upig" */
    const char *hint;    /* what may be wrong when nothing comes, a clause */

    /*
     * Control thread; may block for some milliseconds. On 0 *out is the caller's, to be closed by
     * close(); what is not there yet is waited for by tend(), and named in `waiting`. On -errno
     * nothing is left open, and `why` (size bytes, terminated) says in one clause what is wrong,
     * naming the input and the remedy: the caller logs it once and tries again later.
     */
    int (*open)(struct receiver **out, const struct receiver_config *config,
                struct receiver_counters *counters, char *why, size_t size);

    /*
     * Receiver thread only. Waits until there is something or wake_fd is readable (it is not read).
     * Fills at most `max` packets, whose data stay valid until the next call, in order of arrival.
     * Returns their number; 0 after a wake-up, or when what came was dropped and counted, or when nothing has
     * come by the time at which it was looked for; -errno when the transport is gone and has to be closed and
     * opened anew. One system call that waits, and no other but the reading itself, from input_fd, by those
     * that sandbox.h leaves.
     */
    int (*read)(struct receiver *r, int wake_fd, struct packet *packets, int max);

    /*
     * Control thread, also while a read is under way: sees to what comes late, goes away and comes
     * back. To be called when watch_fd is readable and at tend_at; harmless at any other time. Does
     * not wait. 0, or -errno when the receiver has to be closed and opened anew (-ESTALE: because
     * another one has come in its place). NULL: nothing to see to; watch_fd is -1 then.
     */
    int (*tend)(struct receiver *r, int64_t now);

    /*
     * Control thread, also while a read is under way: for now only this sender's packets are of use,
     * the others' may be dropped where that is cheapest; NULL: everybody's are again. Does not wait.
     * 0, or -errno and all is as before. NULL: it has but one sender.
     */
    int (*favour)(struct receiver *r, const struct source_id *source);

    /* Control thread, with no read under way. NULL is fine. */
    void (*close)(struct receiver *r);

    /* Control thread: "239.255.77.77:4010 on virbr0", terminated. */
    void (*describe)(const struct receiver *r, char *buf, size_t size);

    /*
     * For --check, with no receiver open. Adds (findings.h) what open() would find and what read()
     * would see; watches for `watch` ns if there is anything to watch. NULL: there is nothing to say.
     */
    void (*check)(const struct receiver_config *config, int64_t watch, struct findings *f);
};

/* receivers/table.c: what this build has, NULL at the end. */
extern const struct receiver_driver *const receiver_table[];

/* receivers/table.c: what this build lacks, and why, a clause with the remedy. */
struct receiver_absent {
    const char *name, *why;
};
extern const struct receiver_absent receiver_absent[];

/* The driver of that name, or NULL. */
const struct receiver_driver *receiver_find(const char *name);

#endif

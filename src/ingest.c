#include "ingest.h"

#include "log.h"
#include "rt.h"
#include "sandbox.h"
#include "schedule.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH                                                                                      \
    64 /* packets per read: what a 100 ms stall piles up at 48 kHz/16/2, four times over */

#define FAVOURED (1ull << 48)

_Static_assert(CROWD_SILENCE_NS == INGEST_SILENCE_NS, "one rule for who may play");

struct ingest {
    /* immutable */
    struct receiver *receiver;
    struct stream *stream;
    struct notifier *notifier;
    int wake_fd;
    bool sandbox, tell;
    pthread_t thread;

    /* receiver thread's */
    struct source_lock lock;
    struct crowd_count others;
    bool crowded;
    struct schedule schedule;

    /* control thread's */
    struct crowd crowd;

    /* any thread */
    atomic_uint_fast64_t favoured; /* the sender beside whom there is a crowd; 0: none is */
    atomic_bool stopping;
    atomic_uint asked, answered;
    atomic_int failure;
};

enum source_verdict source_lock_judge(struct source_lock *lock, const struct packet *p)
{
    const bool same = lock->held && source_equal(lock->id, p->source);
    if (lock->held && !same && p->arrival - lock->last < INGEST_SILENCE_NS)
        return SOURCE_IGNORED;
    lock->held = true;
    lock->id = p->source;
    lock->last = p->arrival;
    return same ? SOURCE_PLAYS : SOURCE_TAKES_OVER;
}

/* The rest of them is not worth reading. */
static void tell_of_crowd(struct ingest *in)
{
    atomic_store(&in->favoured, FAVOURED | source_number(in->lock.id));
    notifier_raise(in->notifier, NOTIFY_RECEIVER);
}

/* True if what the control thread has to open an output for has changed. */
static bool take_packet(struct ingest *in, const struct packet *p)
{
    const enum source_verdict verdict = source_lock_judge(&in->lock, p);
    if (verdict == SOURCE_IGNORED) {
        count_add(&in->receiver->counters->other_source, 1);
        in->crowded |= crowd_counts(&in->others, p->arrival);
        return false;
    }
    struct stream *s = in->stream;
    bool other = false;
    if (verdict == SOURCE_TAKES_OVER)
        gauge_set(&in->receiver->plays, source_number(p->source));
    if (verdict == SOURCE_TAKES_OVER || p->starts || !pcm_format_equal(&s->format, &p->format))
        other = stream_begin(s, &p->format, p->source);
    stream_write(s, p->data, p->bytes, p->arrival);
    return other;
}

static int take_batch(struct ingest *in)
{
    struct packet batch[BATCH];
    const struct receiver_driver *driver = in->receiver->driver;
    const int n = driver->read(in->receiver, in->wake_fd, batch, BATCH);
    bool other = false;
    rt_enter();
    for (int i = 0; i < n; i++)
        other |= take_packet(in, &batch[i]);
    if (n > 0)
        stream_commit(in->stream);
    rt_leave();
    if (other)
        notifier_raise(in->notifier, NOTIFY_FORMAT);
    if (in->crowded && driver->favour)
        tell_of_crowd(in);
    in->crowded = false;
    return n < 0 ? n : 0;
}

/* To the control thread, which writes wake_fd just after it has asked: if that is still to come, then with it. */
static void answer(struct ingest *in)
{
    eventfd_t count;
    const unsigned asked = atomic_load(&in->asked);
    if (asked == atomic_load_explicit(&in->answered, memory_order_relaxed))
        return;
    if (eventfd_read(in->wake_fd, &count) == 0)
        atomic_store(&in->answered, asked);
}

/* Whom it has asked for real-time scheduling is a thread of its own, and was there before. */
static void confine(const struct ingest *in)
{
    const struct sandbox uses = {.input = in->receiver->input_fd,
                                 .wake = in->wake_fd,
                                 .tell = {in->notifier->fd, in->stream->wake_fd}};
    const int err = in->sandbox ? sandbox_enter(&uses) : -ECANCELED;
    if (in->tell && err < 0)
        log_line(in->sandbox ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "receiver: not confined: %s",
                 in->sandbox ? strerror(-err) : "--no-sandbox");
}

static void *run(void *arg)
{
    struct ingest *in = arg;
    int err = 0;
    schedule_begin(&in->schedule, in->tell ? "receiver" : NULL, in->tell);
    confine(in);
    while (err == 0 && !atomic_load(&in->stopping)) {
        err = take_batch(in);
        answer(in);
    }
    if (err < 0) {
        atomic_store(&in->failure, err);
        notifier_raise(in->notifier, NOTIFY_RECEIVER);
    }
    return NULL;
}

int ingest_start(struct ingest **out, struct receiver *r, struct stream *s, struct notifier *n,
                 bool sandbox, bool tell)
{
    struct ingest *in = calloc(1, sizeof *in);
    if (!in)
        return -ENOMEM;
    in->receiver = r;
    in->stream = s;
    in->notifier = n;
    in->sandbox = sandbox;
    in->tell = tell;
    crowd_init(&in->crowd);
    in->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int err = in->wake_fd < 0 ? -errno : 0;
    if (err < 0)
        goto free_ingest;
    err = -pthread_create(&in->thread, NULL, run, in);
    if (err < 0)
        goto close_fd;
    pthread_setname_np(in->thread, "scream-receiver");
    *out = in;
    return 0;

close_fd:
    close(in->wake_fd);
free_ingest:
    free(in);
    return err;
}

void ingest_stop(struct ingest *in)
{
    if (!in)
        return;
    const uint64_t one = 1;
    atomic_store(&in->stopping, true);
    if (write(in->wake_fd, &one, sizeof one) < 0)
        abort(); /* an eventfd of our own that takes no 1 */
    pthread_join(in->thread, NULL);
    schedule_end(&in->schedule);
    close(in->wake_fd);
    free(in);
}

int64_t ingest_tend(struct ingest *in, int64_t now)
{
    struct receiver *r = in->receiver;
    const uint64_t packets = count_read(&r->counters->packets);
    const uint64_t told = atomic_exchange(&in->favoured, 0);
    const struct source_id id = source_of(told);
    if (crowd_look(&in->crowd, packets, now) == CROWD_LET_IN)
        if (r->driver->favour(r, NULL) < 0)
            crowd_came(&in->crowd, packets, now); /* it is tried again after a while */
    if (told && crowd_came(&in->crowd, packets, now) == CROWD_KEEP_OUT) {
        log_debug("a crowd of senders: the kernel drops all but the one that plays");
        r->driver->favour(r, &id);
    }
    return in->crowd.look_at;
}

int ingest_failure(const struct ingest *in)
{
    return atomic_load((atomic_int *)&in->failure);
}

void ingest_ask(struct ingest *in)
{
    atomic_fetch_add(&in->asked, 1);
    eventfd_write(in->wake_fd, 1);
}

bool ingest_answered(const struct ingest *in)
{
    return atomic_load((atomic_uint *)&in->answered) == atomic_load((atomic_uint *)&in->asked);
}

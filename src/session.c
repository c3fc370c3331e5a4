#include "session.h"

#include "ending.h"
#include "ingest.h"
#include "log.h"
#include "report.h"
#include "status.h"
#include "voice.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define OWN_FDS       4                /* to wait for, beside those of the voice */
#define TICK_NS       (5 * NS_PER_S)   /* of the reports */
#define FADED_NS      (30 * NS_PER_MS) /* from the output's next request to the end of a fade */
#define FADED_MOST_NS (130 * NS_PER_MS)
#define REOPEN_NS     (50 * NS_PER_MS) /* the least time from one opening of the receiver to the next */

struct session {
    const struct options *options;
    const struct receiver_driver *driver;
    struct receiver *receiver;
    struct receiver_counters counters;
    struct ingest *ingest;
    int64_t crowd_at;       /* when the ingest is to be tended */
    struct backoff retry;   /* of the receiver */
    int64_t opened_at;      /* likewise; 0: it never was */
    char waiting[256];      /* what it was last said to wait for, "": it listens */
    struct telling telling; /* of the receiver's state */
    struct voice voice;
    struct notifier notifier;
    struct ending ending;
    struct report report;
    struct status status;
    int signal_fd;
    int64_t next_report;
    int64_t silent_hint; /* when to say that nothing has come; doubles, BACKOFF_NEVER once it has */
    int64_t hint_step;
};

static int block_signals(void)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t set;
    struct sigaction before;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
        if (sigaction(ending[i], NULL, &before) < 0 || before.sa_handler != SIG_IGN) /* nohup */
            sigaddset(&set, ending[i]);
    signal(SIGPIPE, SIG_IGN);
    /* before any thread is made: all inherit it */
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static void close_receiver(struct session *s)
{
    ingest_stop(s->ingest);
    s->driver->close(s->receiver);
    s->ingest = NULL;
    s->receiver = NULL;
}

/* Says what it waits for, once, or that it listens now. */
static void tell_receiver(struct session *s, int64_t now, bool opened)
{
    char what[128];
    const char *waiting = s->receiver->waiting;
    if (strcmp(waiting, s->waiting) == 0 && (waiting[0] || !opened))
        return;
    snprintf(s->waiting, sizeof s->waiting, "%s", waiting);
    s->hint_step = 5 * NS_PER_S;
    s->silent_hint = now + s->hint_step;
    s->driver->describe(s->receiver, what, sizeof what);
    if (waiting[0])
        telling_say(&s->telling, now, LOG_LEVEL_WARNING, "waiting: %s", waiting);
    else
        telling_say(&s->telling, now, LOG_LEVEL_INFO, "listening to %s", what);
}

static void open_receiver(struct session *s, int64_t now)
{
    char why[256] = "out of memory";
    int err = s->driver->open(&s->receiver, &s->options->receiver, &s->counters, why, sizeof why);
    if (err == 0) {
        err = ingest_start(&s->ingest, s->receiver, &s->voice.stream, &s->notifier,
                           !s->options->no_sandbox, s->opened_at == 0);
        if (err < 0)
            close_receiver(s);
    }
    if (err < 0) {
        if (backoff_failed(&s->retry, now, why))
            telling_say(&s->telling, now, LOG_LEVEL_WARNING, "waiting: %s", why);
        return;
    }
    backoff_reset(&s->retry);
    s->crowd_at = CROWD_NEVER;
    s->opened_at = now;
    tell_receiver(s, now, true);
}

static void lose_receiver(struct session *s, int64_t now, int failure)
{
    char what[128];
    s->driver->describe(s->receiver, what, sizeof what);
    if (failure == -ESTALE)
        telling_say(&s->telling, now, LOG_LEVEL_DEBUG, "opening %s anew", what);
    else
        telling_say(&s->telling, now, LOG_LEVEL_WARNING, "%s has failed (%s); opening it again",
                    what, strerror(-failure));
    close_receiver(s);
    backoff_reset(&s->retry);
    s->retry.due = s->opened_at + REOPEN_NS;
}

/* Whatever has happened to it. */
static void see_to_receiver(struct session *s, int64_t now)
{
    int failure = ingest_failure(s->ingest);
    if (failure == 0 && s->driver->tend)
        failure = s->driver->tend(s->receiver, now);
    if (failure < 0) {
        lose_receiver(s, now, failure);
        return;
    }
    s->crowd_at = ingest_tend(s->ingest, now);
    tell_receiver(s, now, false);
}

/* Nothing has come yet: say where it was expected, with growing gaps, at most every 10 minutes. */
static void hint_at_silence(struct session *s, int64_t now)
{
    char what[128];
    if (count_read(&s->counters.packets) > 0) {
        s->silent_hint = BACKOFF_NEVER;
        return;
    }
    s->driver->describe(s->receiver, what, sizeof what);
    log_warning("no packets yet on %s: %s `scream --check` with the same options looks closer",
                what, s->driver->hint);
    report_drops(&s->report, now);
    s->hint_step = s->hint_step * 4 < 600 * NS_PER_S ? s->hint_step * 4 : 600 * NS_PER_S;
    s->silent_hint = now + s->hint_step;
}

static void do_reports(struct session *s, int64_t now)
{
    report_drops(&s->report, now);
    if (s->voice.state == VOICE_PLAYING)
        report_playing(&s->report);
    s->next_report = now + TICK_NS;
}

/* Says what it does and that it lives. */
static void tell_systemd(struct session *s, int64_t *next)
{
    const struct status_view view = {
        .receiver = s->receiver,
        .waiting = s->receiver ? s->receiver->waiting : s->retry.why,
        .ingest = s->ingest,
        .voice = &s->voice,
    };
    status_turn(&s->status, &view, next);
}

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the receiver has to be looked at again. */
static int64_t receiver_due(const struct session *s)
{
    if (!s->receiver)
        return s->retry.due;
    const int64_t tend = s->driver->tend ? s->receiver->tend_at : RECEIVER_UNTENDED;
    const int64_t due = earliest(tend, s->crowd_at);
    if (s->receiver->waiting[0])
        return due;
    /* what is dropped is told of even if nothing plays */
    return earliest(due, earliest(s->silent_hint, s->next_report));
}

/* One turn at everything that is due; *next: when something will be. */
static int turn(struct session *s, int64_t *next)
{
    const unsigned events = notifier_take(&s->notifier);
    const int64_t now = clock_now();
    if (s->receiver)
        see_to_receiver(s, now);
    if (!s->receiver && now >= s->retry.due)
        open_receiver(s, now);
    if (events & NOTIFY_FORMAT)
        voice_format(&s->voice, now);
    const int err = voice_turn(&s->voice, now, next);
    if (s->receiver && !s->receiver->waiting[0] && now >= s->silent_hint)
        hint_at_silence(s, now);
    if (now >= s->next_report)
        do_reports(s, now);
    *next = earliest(*next, earliest(receiver_due(s), telling_turn(&s->telling, now)));
    tell_systemd(s, next);
    return err;
}

/* Waits for an event or until `next`; true when a signal asks to end. */
static bool wait_for_event(struct session *s, int64_t next)
{
    struct pollfd fds[OWN_FDS + LOOKOUT_PLACES] = {
        {.fd = s->signal_fd, .events = POLLIN},
        {.fd = s->notifier.fd, .events = POLLIN},
        {.fd = s->receiver && s->driver->tend ? s->receiver->watch_fd : -1, .events = POLLIN},
        {.fd = voice_wake_fd(&s->voice), .events = POLLIN}};
    const nfds_t count = OWN_FDS + voice_watch_fds(&s->voice, fds + OWN_FDS);
    const int64_t left = next - clock_now();
    struct timespec ts = {0};
    if (left > 0) {
        ts.tv_sec = left / NS_PER_S;
        ts.tv_nsec = left % NS_PER_S;
    }
    if (ppoll(fds, count, next == INT64_MAX ? NULL : &ts, NULL) < 0)
        return false;
    return (fds[0].revents & POLLIN) != 0;
}

static int loop(struct session *s)
{
    for (;;) {
        int64_t next;
        const int err = turn(s, &next);
        if (err < 0)
            return err;
        if (wait_for_event(s, next))
            return 0;
    }
}

/* What plays fades, and that is heard before the output is closed; if that takes too long, it is cut. */
static void die_away(const struct voice *v)
{
    if (v->state != VOICE_PLAYING || v->exact)
        return;
    int64_t delay = v->driver->fade ? v->driver->fade(v->output) : -ENOTSUP;
    if (delay < 0) {
        player_end(v->player);
        delay = (int64_t)count_read(&v->stream.counters.delay_us) * NS_PER_US;
    }
    const struct timespec ts = {.tv_nsec = delay < FADED_MOST_NS - FADED_NS ? delay + FADED_NS
                                                                            : FADED_MOST_NS};
    nanosleep(&ts, NULL);
}

int session_run(const struct options *options)
{
    struct session s = {.options = options, .driver = receiver_find(options->receiver_name)};
    int err = s.signal_fd = block_signals();
    if (err < 0)
        goto failed;
    err = notifier_init(&s.notifier);
    if (err < 0)
        goto close_signals;
    err = voice_init(&s.voice, options, &s.notifier);
    if (err < 0)
        goto finish_notifier;
    /* An exact output is let finish what it writes: that takes as long as it takes. */
    if (!s.voice.exact)
        err = ending_init(&s.ending, s.signal_fd);
    if (err < 0)
        goto finish_voice;
    report_init(&s.report, &s.counters, &s.voice.stream.counters);
    status_init(&s.status, clock_now);

    err = loop(&s);

    service_stopping(&s.status.service);
    telling_finish(&s.telling);
    die_away(&s.voice);
    if (s.voice.state != VOICE_EMPTY)
        report_playing(&s.report);
    if (s.receiver)
        close_receiver(&s);
    const bool exact = s.voice.exact;
    voice_finish(&s.voice);
    if (!exact)
        ending_finish(&s.ending);
    notifier_finish(&s.notifier);
    close(s.signal_fd);
    return err;

finish_voice:
    voice_finish(&s.voice);
finish_notifier:
    notifier_finish(&s.notifier);
close_signals:
    close(s.signal_fd);
failed:
    if (err != -ENOTTY) /* which has been explained */
        log_error("cannot start: %s", strerror(-err));
    return err;
}

#include "session.h"

#include "clock.h"
#include "ending.h"
#include "log.h"
#include "reception.h"
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

struct session {
    struct reception reception;
    struct voice voice;
    struct notifier notifier;
    struct ending ending;
    struct report report;
    struct status status;
    int signal_fd;
    int64_t next_report;
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

static void do_reports(struct session *s, int64_t now)
{
    report_drops(&s->report, now);
    if (s->voice.state == VOICE_PLAYING) {
        report_playing(&s->report);
        report_bound(&s->report, s->voice.options->bound);
    }
    s->next_report = now + TICK_NS;
}

/* Says what it does and that it lives. */
static void tell_systemd(struct session *s, int64_t *next)
{
    const struct status_view view = {
        .receiver = s->reception.receiver,
        .waiting = reception_waiting(&s->reception),
        .ingest = s->reception.ingest,
        .voice = &s->voice,
    };
    status_turn(&s->status, &view, next);
}

/* One turn at everything that is due; *next: when something will be. */
static int turn(struct session *s, int64_t *next)
{
    const unsigned events = notifier_take(&s->notifier);
    const int64_t now = clock_now();
    int64_t due;
    if (reception_turn(&s->reception, now, &due))
        report_drops(&s->report, now);
    if (events & NOTIFY_FORMAT)
        voice_format(&s->voice, now);
    const int err = voice_turn(&s->voice, now, next);
    if (now >= s->next_report)
        do_reports(s, now);
    *next = clock_earliest(*next, due);
    if (!reception_waiting(&s->reception)[0]) /* what is dropped is told of even if nothing plays */
        *next = clock_earliest(*next, s->next_report);
    tell_systemd(s, next);
    return err;
}

/* Waits for an event or until `next`; true when a signal asks to end. */
static bool wait_for_event(struct session *s, int64_t next)
{
    struct pollfd fds[OWN_FDS + LOOKOUT_PLACES] = {
        {.fd = s->signal_fd, .events = POLLIN},
        {.fd = s->notifier.fd, .events = POLLIN},
        {.fd = reception_watch_fd(&s->reception), .events = POLLIN},
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
    struct session s = {0};
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
    reception_init(&s.reception, options, &s.voice.stream, &s.notifier);
    report_init(&s.report, &s.reception.counters, &s.voice.stream.counters);
    status_init(&s.status, clock_now);

    err = loop(&s);

    service_stopping(&s.status.service);
    die_away(&s.voice);
    if (s.voice.state != VOICE_EMPTY)
        report_playing(&s.report);
    reception_finish(&s.reception);
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

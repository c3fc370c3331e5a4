#include "rtkit.h"

#include <errno.h>
#include <stdio.h>

#ifdef HAVE_SYSTEMD
#include "clock.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define NAME  "org.freedesktop.RealtimeKit1"
#define PLACE "/org/freedesktop/RealtimeKit1"

struct talk {
    sd_bus *bus;
    int64_t end;
    int wake_fd;
    sd_bus_message *answer;
};

static int on_answer(sd_bus_message *m, void *data, sd_bus_error *error)
{
    (void)error;
    struct talk *t = data;
    t->answer = sd_bus_message_ref(m);
    return 0;
}

/* Until the bus has something to do; 0 or -errno. */
static int wait_for_bus(const struct talk *t)
{
    const int64_t left = t->end - clock_now();
    const int events = sd_bus_get_events(t->bus);
    if (left <= 0)
        return -ETIMEDOUT;
    if (events < 0)
        return events;
    struct pollfd fds[] = {{.fd = sd_bus_get_fd(t->bus), .events = (short)events},
                           {.fd = t->wake_fd, .events = POLLIN}};
    const struct timespec ts = {.tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S};
    if (ppoll(fds, 2, &ts, NULL) < 0)
        return errno == EINTR ? 0 : -errno;
    return fds[1].revents ? -ECANCELED : 0;
}

/* Until the answer to the call that `called` began has come: it, for the caller to release. */
static int await_answer(struct talk *t, int called, sd_bus_message **answer)
{
    int err = called;
    t->answer = NULL;
    while (err >= 0 && !t->answer) {
        err = sd_bus_process(t->bus, NULL);
        if (err == 0)
            err = wait_for_bus(t);
    }
    if (!t->answer)
        return err;
    err = -sd_bus_message_get_errno(t->answer);
    if (err < 0)
        sd_bus_message_unref(t->answer);
    else
        *answer = t->answer;
    return err;
}

static int get_number(struct talk *t, const char *property, const char *type, void *value)
{
    sd_bus_message *m;
    int err = sd_bus_call_method_async(t->bus, NULL, NAME, PLACE, "org.freedesktop.DBus.Properties",
                                       "Get", on_answer, t, "ss", NAME, property);
    err = await_answer(t, err, &m);
    if (err < 0)
        return err;
    err = sd_bus_message_read(m, "v", type, value);
    sd_bus_message_unref(m);
    return err < 0 ? err : 0;
}

/* It takes care of no process that could keep a processor for itself. */
static int limit_time(int64_t most_us)
{
    struct rlimit limit;
    if (most_us <= 0 || getrlimit(RLIMIT_RTTIME, &limit) < 0)
        return -EINVAL;
    if (limit.rlim_max > (rlim_t)most_us)
        limit.rlim_max = (rlim_t)most_us;
    if (limit.rlim_cur > limit.rlim_max)
        limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_RTTIME, &limit) < 0 ? -errno : 0;
}

static int ask(struct talk *t, pid_t thread, int *priority)
{
    int64_t most_us;
    int32_t most;
    sd_bus_message *m;
    int err = get_number(t, "RTTimeUSecMax", "x", &most_us);
    if (err == 0)
        err = limit_time(most_us);
    if (err == 0)
        err = get_number(t, "MaxRealtimePriority", "i", &most);
    if (err < 0)
        return err;
    if (most < *priority)
        *priority = most;
    err = sd_bus_call_method_async(t->bus, NULL, NAME, PLACE, NAME, "MakeThreadRealtimeWithPID",
                                   on_answer, t, "ttu", (uint64_t)getpid(), (uint64_t)thread,
                                   (uint32_t)*priority);
    err = await_answer(t, err, &m);
    if (err == 0)
        sd_bus_message_unref(m);
    return err;
}

static const char *reason(int err)
{
    switch (err) {
    case -ETIMEDOUT:
        return "RealtimeKit does not answer";
    case -EACCES:
    case -EPERM:
        return "RealtimeKit refuses";
    case -EBUSY: /* so many threads at once, or so many in a short time */
        return "RealtimeKit has given all it gives";
    default:
        return "RealtimeKit (rtkit) is not there";
    }
}

int rtkit_make_real_time(pid_t thread, int *priority, int64_t wait, int wake_fd, char *why,
                         size_t size)
{
    struct talk t = {.end = clock_now() + wait, .wake_fd = wake_fd};
    int err = sd_bus_open_system(&t.bus); /* does not wait to be connected */
    if (err >= 0)
        err = ask(&t, thread, priority);
    sd_bus_close_unref(t.bus);
    if (err < 0)
        snprintf(why, size, "%s (%s)", reason(err), strerror(-err));
    return err < 0 ? err : 0;
}
#else
int rtkit_make_real_time(pid_t thread, int *priority, int64_t wait, int wake_fd, char *why,
                         size_t size)
{
    (void)thread, (void)priority, (void)wait, (void)wake_fd;
    snprintf(why, size, "built without libsystemd, hence without RealtimeKit");
    return -ENOSYS;
}
#endif

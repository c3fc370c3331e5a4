#include "schedule.h"

#include "clock.h"
#include "log.h"
#include "memory.h"
#include "rtkit.h"

#include <errno.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

#define RTKIT_WAIT_NS (5 * NS_PER_S) /* it may have to be started first; only the helper waits */

int schedule_by_limit(int *priority)
{
    struct rlimit allowed;
    *priority = SCHEDULE_PRIORITY;
    if (getrlimit(RLIMIT_RTPRIO, &allowed) == 0 && allowed.rlim_cur > 0 &&
        allowed.rlim_cur < SCHEDULE_PRIORITY)
        *priority = (int)allowed.rlim_cur;
    const struct sched_param param = {.sched_priority = *priority};
    const int err = pthread_setschedparam(pthread_self(), SCHED_RR | SCHED_RESET_ON_FORK, &param);
    if (err == 0)
        return 0;
    /* RealtimeKit demands the flag; it is no privilege */
    const struct sched_param ordinary = {0};
    pthread_setschedparam(pthread_self(), SCHED_OTHER | SCHED_RESET_ON_FORK, &ordinary);
    return -err;
}

/* What is granted is nice, or 0. */
static int by_nice(pid_t thread)
{
    struct rlimit allowed;
    int nice = SCHEDULE_NICE;
    if (setpriority(PRIO_PROCESS, (id_t)thread, nice) == 0)
        return nice;
    if (getrlimit(RLIMIT_NICE, &allowed) < 0 || allowed.rlim_cur <= 20)
        return 0;
    nice = 20 - (int)allowed.rlim_cur;
    return setpriority(PRIO_PROCESS, (id_t)thread, nice) == 0 ? nice : 0;
}

static void ask_others(const struct schedule *s)
{
    char why[128];
    int priority = SCHEDULE_PRIORITY;
    const int err =
        rtkit_make_real_time(s->thread, &priority, RTKIT_WAIT_NS, s->wake_fd, why, sizeof why);
    if (err == 0 && s->who)
        log_debug("%s: real-time priority %d, by RealtimeKit", s->who, priority);
    if (err == 0 || err == -ECANCELED)
        return;
    const int nice = by_nice(s->thread);
    if (!s->who)
        return;
    if (nice != 0)
        log_debug("%s: no real-time priority, but a nice value of %d: %s", s->who, nice, why);
    else
        log_line(
            s->tell ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
            "%s: no real-time priority, so that other programs may interrupt the sound: %s; %s",
            s->who, why, SCHEDULE_REMEDY);
}

static void *help(void *arg)
{
    pthread_setname_np(pthread_self(), "scream-rtkit");
    ask_others(arg);
    return NULL;
}

void schedule_begin(struct schedule *s, const char *who, bool tell)
{
    int priority;
    *s = (struct schedule){.who = who, .tell = tell, .thread = gettid(), .wake_fd = -1};
    memory_keep_stack();
    if (schedule_by_limit(&priority) == 0) {
        if (who)
            log_debug("%s: real-time priority %d", who, priority);
        return;
    }
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake_fd < 0)
        return;
    s->asking = pthread_create(&s->helper, NULL, help, s) == 0;
}

void schedule_end(struct schedule *s)
{
    if (s->asking) {
        eventfd_write(s->wake_fd, 1);
        pthread_join(s->helper, NULL);
        s->asking = false;
    }
    if (s->thread != 0 && s->wake_fd >= 0)
        close(s->wake_fd);
    *s = (struct schedule){0};
}

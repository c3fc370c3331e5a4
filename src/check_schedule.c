#include "check_parts.h"

#include "clock.h"
#include "rtkit.h"
#include "schedule.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SUBJECT "real time"
#define WAIT_NS NS_PER_S

static bool may_nice(void)
{
    struct rlimit allowed;
    return getrlimit(RLIMIT_NICE, &allowed) == 0 && allowed.rlim_cur > 20;
}

/* A thread that is nobody's: what it is granted ends with it. */
static void *ask(void *arg)
{
    struct findings *f = arg;
    struct rlimit allowed;
    int priority = SCHEDULE_PRIORITY;
    char why[128];
    if (getrlimit(RLIMIT_RTPRIO, &allowed) == 0 && allowed.rlim_cur > 0 &&
        allowed.rlim_cur < SCHEDULE_PRIORITY)
        priority = (int)allowed.rlim_cur;
    const struct sched_param param = {.sched_priority = priority};
    if (pthread_setschedparam(pthread_self(), SCHED_RR | SCHED_RESET_ON_FORK, &param) == 0) {
        findings_add(f, FINDING_OK, SUBJECT, NULL, "priority %d, by this user's own limits",
                     priority);
        return NULL;
    }
    const struct sched_param ordinary = {0};
    pthread_setschedparam(pthread_self(), SCHED_OTHER | SCHED_RESET_ON_FORK, &ordinary);
    if (rtkit_make_real_time(gettid(), &priority, WAIT_NS, -1, why, sizeof why) == 0)
        findings_add(f, FINDING_OK, SUBJECT, NULL, "priority %d, by RealtimeKit", priority);
    else
        findings_add(f, FINDING_NOTE, SUBJECT,
                     "install rtkit, or write \"@audio - rtprio 20\" to "
                     "/etc/security/limits.d/audio.conf, join that group and log in again",
                     "no real-time priority%s: %s",
                     may_nice() ? ", but a nice value below 0"
                                : "; a busy machine may interrupt the sound",
                     why);
    return NULL;
}

void check_schedule(struct findings *f)
{
    pthread_t thread;
    const int err = pthread_create(&thread, NULL, ask, f);
    if (err == 0)
        pthread_join(thread, NULL);
    else
        findings_add(f, FINDING_WRONG, SUBJECT, NULL, "no thread can be made: %s", strerror(err));
}

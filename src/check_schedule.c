#include "check_parts.h"

#include "clock.h"
#include "rtkit.h"
#include "schedule.h"

#include <pthread.h>
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
    int priority;
    char why[128];
    if (schedule_by_limit(&priority) == 0) {
        findings_add(f, FINDING_OK, SUBJECT, NULL, "priority %d, by this user's own limits",
                     priority);
        return NULL;
    }
    if (rtkit_make_real_time(gettid(), &priority, WAIT_NS, -1, why, sizeof why) == 0)
        findings_add(f, FINDING_OK, SUBJECT, NULL, "priority %d, by RealtimeKit", priority);
    else
        findings_add(f, FINDING_NOTE, SUBJECT, SCHEDULE_REMEDY, "no real-time priority%s: %s",
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

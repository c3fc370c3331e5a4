#include "schedule.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

bool schedule_real_time(void)
{
    struct rlimit allowed;
    struct sched_param param = {.sched_priority = SCHEDULE_PRIORITY};
    if (getrlimit(RLIMIT_RTPRIO, &allowed) == 0 && allowed.rlim_cur > 0 &&
        allowed.rlim_cur < SCHEDULE_PRIORITY)
        param.sched_priority = (int)allowed.rlim_cur;
    return pthread_setschedparam(pthread_self(), SCHED_RR | SCHED_RESET_ON_FORK, &param) == 0;
}

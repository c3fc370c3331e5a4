/*
 * Tells when this machine kept a thread waiting that wanted to run: what happens to sound at such a
 * moment is not its program's doing. One ordinary thread a processor sleeps for 5 ms at a time.
 *
 *   witness MILLISECONDS   prints "SECONDS MS" (CLOCK_MONOTONIC, how late) for what is later
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define STEP_NS 5000000
#define MOST    256 /* processors */

struct watcher {
    int processor;
    int64_t least_ns;
};

static int64_t now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void *watch(void *context)
{
    const struct watcher *w = context;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)w->processor, &set);
    if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
        return NULL; /* not ours to use */
    for (int64_t due = now();;) {
        due += STEP_NS;
        const struct timespec at = {.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        const int64_t t = now();
        if (t - due > w->least_ns)
            printf("%.4f %.1f\n", (double)due * 1e-9, (double)(t - due) * 1e-6);
        if (t > due + STEP_NS)
            due = t;
    }
    return NULL;
}

int main(int argc, char *argv[])
{
    static struct watcher watchers[MOST];
    const double ms = argc == 2 ? strtod(argv[1], NULL) : 0;
    if (ms <= 0) {
        fputs("usage: witness MILLISECONDS\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    const long processors = sysconf(_SC_NPROCESSORS_CONF);
    for (int i = 0; i < processors && i < MOST; i++) {
        pthread_t thread;
        watchers[i] = (struct watcher){i, (int64_t)(ms * 1e6)};
        const int error = pthread_create(&thread, NULL, watch, &watchers[i]);
        if (error) {
            fprintf(stderr, "witness: %s\n", strerror(error));
            return 1;
        }
    }
    for (;;)
        pause();
}

#include "rtkit_fake.h"

#ifdef HAVE_SYSTEMD
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define NAME  "org.freedesktop.RealtimeKit1"
#define PLACE "/org/freedesktop/RealtimeKit1"

static struct fake {
    enum rtkit_mood mood;
    struct rtkit_asked asked;
    char folder[32];
    pid_t daemon;
    sd_bus *bus;
    int stop_fd;
    pthread_t thread;
} fake;

/* Its privileges permitting, as the real one. */
static int make_real_time(sd_bus_message *m)
{
    struct rtkit_asked *a = &fake.asked;
    uint64_t process, thread;
    struct rlimit limit;
    sd_bus_message_read(m, "ttu", &process, &thread, &a->priority);
    a->times++;
    a->process = (pid_t)process;
    a->thread = (pid_t)thread;
    a->reset_on_fork = (sched_getscheduler(a->thread) & SCHED_RESET_ON_FORK) != 0;
    getrlimit(RLIMIT_RTTIME, &limit);
    a->limit_us = limit.rlim_max;
    if (fake.mood == RTKIT_REFUSES)
        return sd_bus_reply_method_errorf(m, "org.freedesktop.DBus.Error.AccessDenied", "no");
    const struct sched_param param = {.sched_priority = (int)a->priority};
    sched_setscheduler(a->thread, SCHED_RR | SCHED_RESET_ON_FORK, &param);
    return sd_bus_reply_method_return(m, "");
}

static int get_property(sd_bus_message *m)
{
    const char *interface, *name;
    sd_bus_message_read(m, "ss", &interface, &name);
    if (strcmp(name, "RTTimeUSecMax") == 0)
        return sd_bus_reply_method_return(m, "v", "x", (int64_t)RTKIT_FAKE_MOST_US);
    return sd_bus_reply_method_return(m, "v", "i", (int32_t)RTKIT_FAKE_MOST_PRIORITY);
}

static int on_call(sd_bus_message *m, void *data, sd_bus_error *error)
{
    (void)data, (void)error;
    fake.asked.calls++;
    if (fake.mood == RTKIT_HANGS)
        return 1;
    if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", "Get"))
        return get_property(m);
    if (sd_bus_message_is_method_call(m, NAME, "MakeThreadRealtimeWithPID"))
        return make_real_time(m);
    return 0;
}

static void *serve(void *arg)
{
    (void)arg;
    struct pollfd fds[] = {{.fd = sd_bus_get_fd(fake.bus)}, {.fd = fake.stop_fd, .events = POLLIN}};
    while (!fds[1].revents) {
        if (sd_bus_process(fake.bus, NULL) > 0)
            continue;
        fds[0].events = (short)sd_bus_get_events(fake.bus);
        poll(fds, 2, -1);
    }
    return NULL;
}

/* It says its address when it is ready. */
static bool begin_daemon(void)
{
    char address[64], option[80], said[256];
    int ends[2];
    strcpy(fake.folder, "/tmp/scream-bus-XXXXXX");
    if (!mkdtemp(fake.folder) || pipe(ends) < 0)
        return false;
    snprintf(address, sizeof address, "unix:path=%s/bus", fake.folder);
    snprintf(option, sizeof option, "--address=%s", address);
    fake.daemon = fork();
    if (fake.daemon == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--nopidfile",
               "--print-address=1", option, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    const bool ready = read(ends[0], said, sizeof said) > 0;
    close(ends[0]);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
    return ready;
}

static void end_daemon(void)
{
    char socket[64];
    kill(fake.daemon, SIGTERM);
    waitpid(fake.daemon, NULL, 0);
    snprintf(socket, sizeof socket, "%s/bus", fake.folder);
    unlink(socket);
    rmdir(fake.folder);
}

bool rtkit_fake_begin(enum rtkit_mood mood)
{
    fake = (struct fake){.mood = mood};
    if (!begin_daemon()) {
        end_daemon();
        return false;
    }
    fake.stop_fd = eventfd(0, EFD_CLOEXEC);
    int err = sd_bus_open_system(&fake.bus);
    if (err >= 0)
        err = sd_bus_add_object(fake.bus, NULL, PLACE, on_call, NULL);
    if (err >= 0 && mood != RTKIT_ABSENT)
        err = sd_bus_request_name(fake.bus, NAME, 0);
    if (err >= 0)
        err = -pthread_create(&fake.thread, NULL, serve, NULL);
    if (err < 0) {
        fprintf(stderr, "the private bus: %s\n", strerror(-err));
        abort();
    }
    return true;
}

void rtkit_fake_end(struct rtkit_asked *asked)
{
    eventfd_write(fake.stop_fd, 1);
    pthread_join(fake.thread, NULL);
    sd_bus_flush_close_unref(fake.bus);
    close(fake.stop_fd);
    end_daemon();
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", 1);
    *asked = fake.asked;
}
#else
#include <string.h>

bool rtkit_fake_begin(enum rtkit_mood mood)
{
    (void)mood;
    return false;
}

void rtkit_fake_end(struct rtkit_asked *asked)
{
    memset(asked, 0, sizeof *asked);
}
#endif

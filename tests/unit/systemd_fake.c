#include "systemd_fake.h"

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int listener = -1;

void systemd_fake_begin(bool watchdog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[64];
    /* abstract: "@" stands for the zero */
    const int n = snprintf(name, sizeof name, "@scream-test-%d", (int)getpid());
    memcpy(address.sun_path + 1, name + 1, (size_t)n - 1);
    listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)),
                     0);
    setenv("NOTIFY_SOCKET", name, 1);
    if (watchdog) {
        char value[32];
        snprintf(value, sizeof value, "%lld", SYSTEMD_FAKE_WATCHDOG / NS_PER_US);
        setenv("WATCHDOG_USEC", value, 1);
        snprintf(value, sizeof value, "%d", (int)getpid());
        setenv("WATCHDOG_PID", value, 1);
    }
}

void systemd_fake_end(void)
{
    if (listener >= 0)
        close(listener);
    listener = -1;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void systemd_fake_fill(void)
{
    struct sockaddr_un address;
    socklen_t size = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &size);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    while (sendto(fd, "x", 1, 0, (struct sockaddr *)&address, size) == 1)
        ;
    assert_int_equal(errno, EAGAIN);
    close(fd);
}

const char *systemd_told(void)
{
    static char text[1024];
    const ssize_t n = recv(listener, text, sizeof text - 1, MSG_DONTWAIT);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

void systemd_fake_drain(void)
{
    while (strcmp(systemd_told(), "x") == 0)
        ;
}

void need_libsystemd(void)
{
#ifndef HAVE_SYSTEMD
    skip();
#endif
}

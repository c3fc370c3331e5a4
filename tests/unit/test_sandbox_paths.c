/* The second lock, alone. */
#include "test.h"

#include "confined.h"
#include "sandbox_paths.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSED_BY_PORT 4 /* the version of Landlock that knows of them */

struct paths {
    char folder[64], file[80];
    int fd; /* of the file */
    int entered;
    int open, write, make, remove, connect; /* errno of each */
    ssize_t read;
};

static void *without_paths(void *arg)
{
    struct paths *p = arg;
    char byte, path[80];
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(path, sizeof path, "%s/made", p->folder);
    p->entered = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : sandbox_lose_paths();
    p->open = error_of(open(p->file, O_RDONLY | O_CLOEXEC));
    p->write = error_of(open(p->file, O_WRONLY | O_CLOEXEC));
    p->make = error_of(mkdir(path, 0700));
    p->remove = error_of(unlink(p->file));
    p->connect = error_of(connect(tcp, (const struct sockaddr *)&to, sizeof to));
    p->read = pread(p->fd, &byte, 1, 0);
    close(tcp);
    return NULL;
}

static void no_path_leads_anywhere(void **state)
{
    (void)state;
    struct paths p = {.folder = "/tmp/scream-test-XXXXXX"};
    pthread_t thread;
    assert_non_null(mkdtemp(p.folder));
    snprintf(p.file, sizeof p.file, "%s/file", p.folder);
    p.fd = open(p.file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(p.fd, "x", 1), 1);
    assert_int_equal(pthread_create(&thread, NULL, without_paths, &p), 0);
    pthread_join(thread, NULL);
    close(p.fd);
    const int fd = open(p.file, O_RDONLY | O_CLOEXEC); /* this thread is as free as before */
    close(fd);
    unlink(p.file);
    rmdir(p.folder);
    if (p.entered == -ENOSYS || p.entered == -EOPNOTSUPP) {
        print_message("skipped: this kernel has no Landlock\n");
        skip();
    }
    assert_true(fd >= 0);
    assert_int_equal(p.entered, 0);
    assert_int_equal(p.open, EACCES);
    assert_int_equal(p.write, EACCES);
    assert_int_equal(p.make, EACCES);
    assert_int_equal(p.remove, EACCES);
    assert_int_equal(p.read, 1);
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= REFUSED_BY_PORT)
        assert_int_equal(p.connect, EACCES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_path_leads_anywhere),
    };
    return cmocka_run_group_tests_name("sandbox_paths", tests, NULL, NULL);
}

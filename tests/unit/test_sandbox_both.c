/* What is refused looks the same whichever lock refuses it: here the second one is seen beside the first. */
#include "test.h"

#include "confined.h"
#include "sandbox.h"
#include "sandbox_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct outcome {
    int locked; /* 0: the kernel has the second lock */
    int entered;
    int open; /* errno */
};

static int error_of_opening(void)
{
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int err = error_of(fd);
    if (fd >= 0)
        close(fd);
    return err;
}

/* From here on no filter can be made in the calling thread, as in a unit whose own does not let it. */
static int forbid_filters(void)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof steps / sizeof steps[0], .filter = steps};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

static void *lose_paths(void *arg)
{
    struct outcome *o = arg;
    o->locked = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : sandbox_lose_paths();
    return NULL;
}

static void *enter(void *arg)
{
    struct outcome *o = arg;
    const struct sandbox none = {.input = -1, .wake = -1, .tell = {-1, -1}};
    o->entered = forbid_filters();
    if (o->entered == 0)
        o->entered = sandbox_enter(&none);
    o->open = error_of_opening();
    return NULL;
}

static void in_a_thread(void *(*run)(void *), struct outcome *o)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, o), 0);
    pthread_join(thread, NULL);
}

static void without_the_first_lock_the_second_holds(void **state)
{
    (void)state;
    struct outcome o = {0};
    in_a_thread(lose_paths, &o);
    in_a_thread(enter, &o);
    assert_int_equal(o.entered, -ENOSYS);
    assert_int_equal(o.open, o.locked == 0 ? EACCES : 0);
    assert_int_equal(error_of_opening(), 0); /* this thread is as free as before */
    print_message("Landlock: %s\n", o.locked == 0 ? "there" : "not in this kernel");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_the_first_lock_the_second_holds),
    };
    return cmocka_run_group_tests_name("sandbox, both locks", tests, NULL, NULL);
}

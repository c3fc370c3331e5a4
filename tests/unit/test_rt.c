/* The real-time guard itself: what must not be done on that path ends the program, under a sanitizer too. */
#include "test.h"

#include "log.h"
#include "notify.h"
#include "rt.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile kept; /* so that no call is optimised away */

static void allocate(void)
{
    kept = malloc(100);
}

static void release(void)
{
    free(kept);
}

static void say(void)
{
    log_error("what must not be said");
}

static void notify(void)
{
    static struct notifier n = {.fd = -1};
    notifier_raise(&n, NOTIFY_FORMAT);
}

static void nothing(void)
{
}

/* How a process ends that does it there, or elsewhere: the signal, 0: well. */
static int end_of(void (*act)(void), bool there)
{
    int status = 0;
    kept = malloc(10);
    const pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {0};
        setrlimit(RLIMIT_CORE, &none);
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        if (there)
            rt_enter();
        act();
        if (there)
            rt_leave();
        _exit(0);
    }
    free(kept);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void what_takes_time_is_not_allowed(void **state)
{
    (void)state;
    void (*const acts[])(void) = {say, notify, allocate, release};
    const size_t count = getenv("TEST_SHARE") ? 2 : 4; /* valgrind has a malloc of its own */
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(end_of(acts[i], false), 0);
        assert_int_equal(end_of(acts[i], true), SIGABRT);
    }
    assert_int_equal(end_of(nothing, true), 0);
}

/* Until it is left as often as it was entered. */
static void it_is_left_at_its_end(void **state)
{
    (void)state;
    rt_enter();
    rt_enter();
    rt_leave();
    rt_leave();
    allocate();
    release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_takes_time_is_not_allowed),
        cmocka_unit_test(it_is_left_at_its_end),
    };
    return cmocka_run_group_tests_name("rt", tests, NULL, NULL);
}

#include "confined.h"

#include "sandbox.h"
#include "test.h"

#include <errno.h>
#include <pthread.h>

int error_of(long ret)
{
    return ret < 0 ? errno : 0;
}

static void *enter(void *arg)
{
    const struct sandbox none = {.input = -1, .wake = -1, .tell = {-1, -1}};
    *(int *)arg = sandbox_enter(&none);
    return NULL;
}

void need_sandbox(void)
{
    pthread_t thread;
    int err = 0;
    assert_int_equal(pthread_create(&thread, NULL, enter, &err), 0);
    pthread_join(thread, NULL);
    if (err == -ENOSYS) {
        print_message("skipped: no sandbox in this build or kernel\n");
        skip();
    }
    assert_int_equal(err, 0);
}

/* Memory that is there before it is used, and locked. */
#include "test.h"

#include "memory.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define BYTES 300001

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* kB of this process that are locked. */
static long locked(void)
{
    char line[128];
    long kb = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, f))
        sscanf(line, "VmLck: %ld", &kb);
    fclose(f);
    return kb;
}

static size_t resident(const void *memory, size_t bytes)
{
    unsigned char in[(BYTES >> 12) + 2];
    const size_t pages = (bytes + page_bytes() - 1) / page_bytes();
    size_t n = 0;
    assert_true(pages <= sizeof in);
    assert_int_equal(mincore((void *)memory, bytes, in), 0);
    for (size_t i = 0; i < pages; i++)
        n += in[i] & 1;
    return n;
}

static void it_is_there_and_zeroed(void **state)
{
    (void)state;
    unsigned char *m = memory_take(BYTES);
    assert_non_null(m);
    assert_int_equal((uintptr_t)m % page_bytes(), 0);
    assert_int_equal(resident(m, BYTES), (BYTES + page_bytes() - 1) / page_bytes());
    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(m[i], 0);
    memory_give(m, BYTES);
    memory_give(NULL, BYTES);
}

static void it_is_locked_until_it_is_given_back(void **state)
{
    (void)state;
    const long before = locked();
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
    if (limit.rlim_cur < 2 * BYTES && geteuid() != 0)
        skip();
    void *m = memory_take(BYTES);
    const long during = locked();
    memory_give(m, BYTES);
    assert_true(during - before >= BYTES / 1024);
    assert_int_equal(locked(), before);
}

static void without_the_right_it_is_there_all_the_same(void **state)
{
    (void)state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &none), 0);
    unsigned char *m = memory_take(BYTES);
    assert_non_null(m);
    assert_int_equal(resident(m, BYTES), (BYTES + page_bytes() - 1) / page_bytes());
    memory_give(m, BYTES);
    assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
}

static void *use_stack(void *arg)
{
    unsigned char here;
    memory_keep_stack();
    const uintptr_t top = (uintptr_t)&here / page_bytes() * page_bytes();
    const size_t most = MEMORY_STACK - page_bytes(); /* what this page has of it */
    *(bool *)arg = resident((void *)(top - most), most) == most / page_bytes();
    return NULL;
}

static void a_thread_has_its_stack(void **state)
{
    (void)state;
    bool there = false;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, use_stack, &there), 0);
    pthread_join(thread, NULL);
    assert_true(there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_there_and_zeroed),
        cmocka_unit_test(it_is_locked_until_it_is_given_back),
        cmocka_unit_test(without_the_right_it_is_there_all_the_same),
        cmocka_unit_test(a_thread_has_its_stack),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}

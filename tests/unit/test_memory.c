/* Memory that is there before it is used, and locked. */
#include "test.h"

#include "memory.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES 300001

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* ---- the kernel's answers, whoever runs this ---- */

static bool may_lock;
static size_t locked; /* bytes */

int mlock(const void *memory, size_t bytes)
{
    (void)memory;
    locked += may_lock ? bytes : 0;
    return may_lock ? 0 : -1;
}

int munlock(const void *memory, size_t bytes)
{
    (void)memory;
    locked -= may_lock ? bytes : 0;
    return 0;
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

static void it_is_there_even_if_it_is_not_locked(void **state)
{
    (void)state;
    may_lock = false;
    unsigned char *m = memory_take(BYTES);
    assert_non_null(m);
    assert_int_equal((uintptr_t)m % page_bytes(), 0);
    assert_int_equal(resident(m, BYTES), (BYTES + page_bytes() - 1) / page_bytes());
    memory_give(m, BYTES);
    memory_give(NULL, BYTES);
}

static void it_is_zeroed_whoever_had_it_before(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        unsigned char *m = memory_take(5000);
        for (size_t k = 0; k < 5000; k++)
            assert_int_equal(m[k], 0);
        memset(m, 0xff, 5000);
        memory_give(m, 5000);
    }
}

static void it_is_locked_until_it_is_given_back(void **state)
{
    (void)state;
    may_lock = true;
    locked = 0;
    void *m = memory_take(BYTES);
    assert_true(locked >= BYTES && locked < BYTES + page_bytes());
    memory_give(m, BYTES);
    assert_int_equal(locked, 0);
}

static void what_is_reserved_comes_with_its_use(void **state)
{
    (void)state;
    const size_t page = page_bytes();
    unsigned char *m = memory_reserve(BYTES, 3 * page);
    assert_non_null(m);
    assert_int_equal((uintptr_t)m % page, 0);
    assert_int_equal(resident(m, BYTES), 3);
    assert_int_equal(m[10 * page], 0);
    m[10 * page] = 1;
    assert_int_equal(resident(m, BYTES), 4);
    memory_release(m, BYTES);
    memory_release(NULL, BYTES);
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
    may_lock = true;
    locked = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, use_stack, &there), 0);
    pthread_join(thread, NULL);
    assert_true(there);
    assert_int_equal(locked, MEMORY_STACK);
    may_lock = false;
    assert_int_equal(pthread_create(&thread, NULL, use_stack, &there), 0);
    pthread_join(thread, NULL);
    assert_true(there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_there_even_if_it_is_not_locked),
        cmocka_unit_test(it_is_zeroed_whoever_had_it_before),
        cmocka_unit_test(it_is_locked_until_it_is_given_back),
        cmocka_unit_test(what_is_reserved_comes_with_its_use),
        cmocka_unit_test(a_thread_has_its_stack),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}

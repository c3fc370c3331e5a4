/*
 * The real-time guard (src/rt.h) in malloc and its family, in the mutexes and in the calls of the kernel that code
 * is most likely to make: whoever uses one between rt_enter() and rt_leave() aborts. A sanitizer has all of
 * these for itself; it tells of its malloc and free.
 */
#include "rt.h"

#include <stdlib.h> /* and with it what says that this is glibc */

#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED
#endif

#if !defined SANITIZED && defined __GLIBC__
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

void *malloc(size_t size)
{
    rt_not_allowed("malloc");
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    rt_not_allowed("calloc");
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    rt_not_allowed("realloc");
    return __libc_realloc(p, size);
}

void free(void *p)
{
    rt_not_allowed("free");
    __libc_free(p);
}

int pthread_mutex_lock(pthread_mutex_t *m)
{
    rt_not_allowed("pthread_mutex_lock");
    int (*real)(pthread_mutex_t *);
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_lock");
    return real(m);
}

ssize_t write(int fd, const void *buf, size_t n)
{
    rt_not_allowed("write");
    ssize_t (*real)(int, const void *, size_t);
    *(void **)&real = dlsym(RTLD_NEXT, "write");
    return real(fd, buf, n);
}
#elif defined SANITIZED
#include <stddef.h>

/* of sanitizer/allocator_interface.h, which gcc does not install */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static void on_malloc(const volatile void *p, size_t size)
{
    (void)p, (void)size;
    rt_not_allowed("malloc");
}

static void on_free(const volatile void *p)
{
    (void)p;
    rt_not_allowed("free");
}

__attribute__((constructor)) static void listen_to_malloc(void)
{
    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}
#else
typedef int rt_malloc_unchecked;
#endif

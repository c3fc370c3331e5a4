/*
 * The real-time path's guard. Between rt_enter() and rt_leave() a thread must not allocate, lock,
 * log or make a system call; whoever does any of these calls rt_not_allowed() first, which aborts
 * with `what` there. In a build without -DRT_CHECK all of it is nothing. With it,
 * tests/unit/rt_malloc.c puts the check into malloc and the mutexes too.
 */
#ifndef SCREAM_RT_H
#define SCREAM_RT_H

#ifdef RT_CHECK
void rt_enter(void);
void rt_leave(void);
void rt_not_allowed(const char *what);
#else
static inline void rt_enter(void)
{
}
static inline void rt_leave(void)
{
}
static inline void rt_not_allowed(const char *what)
{
    (void)what;
}
#endif

#endif

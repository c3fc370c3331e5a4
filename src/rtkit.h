/*
 * RealtimeKit: a system service that makes threads of ordinary users real-time ones, asked over D-Bus by
 * libsystemd. https://gitlab.freedesktop.org/pipewire/rtkit
 */
#ifndef SCREAM_RTKIT_H
#define SCREAM_RTKIT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Any thread but a real-time one or the control thread. Asks for SCHED_RR for a thread of this process,
 * which has SCHED_RESET_ON_FORK set; limits the time for which this process's real-time threads
 * may run without a pause (RLIMIT_RTTIME), because RealtimeKit demands that.
 *
 * Takes until there is an answer, `wait` ns have passed or wake_fd is readable (it is not read).
 * *priority: what is wanted; on 0 what was given. On -errno `why` (size bytes, terminated) is a clause: -ENOSYS
 * in a build without libsystemd, -ECANCELED after a wake-up, -ETIMEDOUT.
 */
int rtkit_make_real_time(pid_t thread, int *priority, int64_t wait, int wake_fd, char *why,
                         size_t size);

#endif

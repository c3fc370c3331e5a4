/*
 * The second lock of the confined thread (sandbox.h), by Landlock: whoever got past the filter of calls, by a
 * call that a kernel lets through any filter or on a machine for which there is none here, could still reach
 * nothing. Where a kernel has no Landlock the filter is all there is.
 */
#ifndef SCREAM_SANDBOX_PATHS_H
#define SCREAM_SANDBOX_PATHS_H

/*
 * The calling thread, which has PR_SET_NO_NEW_PRIVS, for good: nothing is opened, made, changed or removed by a
 * path any more, and, as far as this kernel's Landlock knows of it, no TCP port taken or connected to, no abstract socket
 * and no other process reached. What is open stays. 0, or -errno and all is as before.
 */
int sandbox_lose_paths(void);

#endif

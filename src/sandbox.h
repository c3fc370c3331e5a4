/*
 * Least privilege for the one thread that handles what a guest and a network have written: it gives up
 * every system call but the few that waiting, reading and handing on take. What would be won by
 * breaking into it cannot open, connect, send, start or map anything, nor read or write what it does not
 * read or write anyway.
 *
 * A seccomp filter of this thread only, written by hand: a list of numbers and looks at one argument
 * are no reason for a library. It is inherited by threads that this one makes (it may not), not by
 * others, so the audio libraries are left alone. No call that takes a path is left, and Landlock refuses those
 * once more (sandbox_paths.h). What is not on the list fails with EPERM; nothing is killed for it.
 */
#ifndef SCREAM_SANDBOX_H
#define SCREAM_SANDBOX_H

/* The open descriptors that the thread goes on with; -1: none. */
struct sandbox {
    int input;   /* recvmmsg(), pread() and lseek(), by which the size of a file is asked for */
    int wake;    /* read() */
    int tell[2]; /* write() */
};

/*
 * The calling thread, when all that it needs is open. From now on it may use these descriptors only, and
 * each in its way; it may poll any, see the time, give memory back and end. No signal is handled in
 * it any more. It cannot undo it. 0; -ENOSYS when the kernel or this build has no
 * such thing, or another -errno; the thread can do all that it could then, but for what Landlock takes away. A build with a sanitizer allows
 * its runtime some calls more; what that finds in the thread it tells without names of functions, which
 * --no-sandbox brings back.
 */
int sandbox_enter(const struct sandbox *s);

#endif

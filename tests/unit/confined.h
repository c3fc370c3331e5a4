/* What all tests of confined threads need. */
#ifndef SCREAM_CONFINED_H
#define SCREAM_CONFINED_H

/* Skips the test where there is no such thing; valgrind knows no seccomp() either. */
void need_sandbox(void);

/* errno, if that is what a call that has just returned this says; or 0. */
int error_of(long ret);

#endif

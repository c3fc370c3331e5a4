/*
 * A network namespace of the program's own (unshare): nothing of what is sent or laid in it reaches a network.
 */
#ifndef SCREAM_NAMESPACE_H
#define SCREAM_NAMESPACE_H

#include <stdbool.h>

/* The first thing in main(). Runs this program anew in one, if there can be one; there lo is up. */
void enter_namespace(char **argv);

/* Skips the test where there is none. */
void need_namespace(void);

/* A shell's command that succeeds, or the test fails. */
void run(const char *command);

/*
 * Two ends of a cable in one namespace: near (10.77.0.1/24), and far without an address. The test takes it away
 * (ip link del near). False: it cannot be made here.
 */
bool lay_cable(void);

/* What near sends before the kernel has noticed that far is up is lost without a word. False: it does not notice. */
bool await_carrier(void);

#endif

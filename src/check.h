/* `scream --check`: what a run with these options would need, looked at and told. */
#ifndef SCREAM_CHECK_H
#define SCREAM_CHECK_H

#include "options.h"

/* Prints what it finds on standard output; takes some seconds. The exit status, as findings_exit() says. */
int check_run(const struct options *options);

#endif

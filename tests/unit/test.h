/* What every unit test includes: cmocka and what it wants included before it. */
#ifndef SCREAM_TEST_H
#define SCREAM_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif

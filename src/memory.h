/*
 * Memory that a real-time thread uses: there before it is needed, so that no first touch waits for the
 * kernel, and locked where RLIMIT_MEMLOCK allows, so that no swapping does. Where it does not, and
 * that is nothing to be told of, all goes on with memory that can be swapped out.
 *
 * Not mlockall(): that would bring in every page of every library.
 */
#ifndef SCREAM_MEMORY_H
#define SCREAM_MEMORY_H

#include <stddef.h>

/* Any thread but a real-time one: zeroed, on pages of its own; NULL when there is none. */
void *memory_take(size_t bytes);

/* The same thread or another one, with the same size. NULL is fine. */
void memory_give(void *memory, size_t bytes);

/*
 * The same, of which the first `ready` bytes are there and the others come as they are touched, to be locked
 * then: for what is large and as a rule hardly used. Never in huge pages.
 */
void *memory_reserve(size_t bytes, size_t ready);

/* As memory_give(). */
void memory_release(void *memory, size_t bytes);

/* Half as much again as the deepest call tree of ours and of the audio libraries has been seen to touch (20 KiB). */
#define MEMORY_STACK 32768 /* bytes */

/* The calling thread, before it becomes a real-time one: the next part of its stack likewise. */
void memory_keep_stack(void);

#endif

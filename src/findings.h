/* What an examination has found, and how it is told: a list of lines, each with its remedy. Pure but for the printing. */
#ifndef SCREAM_FINDINGS_H
#define SCREAM_FINDINGS_H

#include <stdbool.h>
#include <stdio.h>

#define FINDINGS_MOST 32

/* In the order of their weight. */
enum verdict {
    FINDING_OK,
    FINDING_NOTE,    /* good to know; nothing waits for it */
    FINDING_WAITING, /* absent (yet): a run would wait for it */
    FINDING_WRONG,   /* somebody has to change something */
};

struct finding {
    enum verdict verdict;
    const char *subject; /* a string that lasts: "interface" */
    char text[256];
    char remedy[384]; /* what to do about it, "": nothing */
};

struct findings {
    int count; /* those beyond FINDINGS_MOST are dropped, but for their weight */
    enum verdict worst;
    struct finding list[FINDINGS_MOST];
};

/* remedy: NULL when there is nothing to do. */
void findings_add(struct findings *f, enum verdict verdict, const char *subject, const char *remedy,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Likewise of a driver's clause "what is so; what to do", parted at its first semicolon. */
void findings_add_clause(struct findings *f, enum verdict verdict, const char *subject,
                         const char *clause);

struct findings_style {
    bool colour;
    int columns; /* lines are wrapped to be no longer; 0: one line for each finding */
};

void findings_print(const struct findings *f, const struct findings_style *style, FILE *to);

/* Of the process: 0 when nothing is missing, 1 when something is waited for, 2 when something is wrong. */
int findings_exit(const struct findings *f);

#endif

#include "findings.h"

#include "plain.h"

#include <stdarg.h>
#include <string.h>

#define SUBJECT 10 /* columns, with the gap behind it */
#define VERDICT 9
#define INDENT  (VERDICT + SUBJECT)
#define LEAST   30 /* columns beside the indent, however narrow the terminal is */

static const struct verdict_row {
    const char *word, *colour;
} verdicts[] = {
    [FINDING_OK] = {"ok", "\033[32m"},
    [FINDING_NOTE] = {"note", "\033[36m"},
    [FINDING_WAITING] = {"waiting", "\033[33m"},
    [FINDING_WRONG] = {"wrong", "\033[1;31m"},
};

/* The next finding's place. */
static struct finding *next(struct findings *f, enum verdict verdict, const char *subject)
{
    if (verdict > f->worst)
        f->worst = verdict;
    if (f->count == FINDINGS_MOST)
        return NULL;
    struct finding *n = &f->list[f->count++];
    *n = (struct finding){.verdict = verdict, .subject = subject};
    return n;
}

void findings_add(struct findings *f, enum verdict verdict, const char *subject, const char *remedy,
                  const char *fmt, ...)
{
    struct finding *n = next(f, verdict, subject);
    if (!n)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(n->text, sizeof n->text, fmt, args);
    va_end(args);
    plain_text(n->text);
    if (remedy)
        snprintf(n->remedy, sizeof n->remedy, "%s", remedy);
    plain_text(n->remedy);
}

void findings_add_clause(struct findings *f, enum verdict verdict, const char *subject,
                         const char *clause)
{
    const int what = (int)strcspn(clause, ";");
    const char *remedy = clause + what;
    remedy += strspn(remedy, "; ");
    findings_add(f, verdict, subject, remedy, "%.*s", what, clause);
}

/* Word by word; *column: where the line is. `most` 0: never wrapped. */
static void print_wrapped(const char *text, int *column, int most, FILE *to)
{
    while (*text != '\0') {
        const int word = (int)strcspn(text, " ");
        const bool first = *column == INDENT;
        if (!first && most > 0 && *column + 1 + word > most) {
            fprintf(to, "\n%*s", INDENT, "");
            *column = INDENT;
        } else if (!first) {
            fputc(' ', to);
            *column += 1;
        }
        fprintf(to, "%.*s", word, text);
        *column += word;
        text += word;
        text += strspn(text, " ");
    }
}

static void print_finding(const struct finding *n, const struct findings_style *style, FILE *to)
{
    const struct verdict_row *row = &verdicts[n->verdict];
    int most = style->columns;
    if (most > 0 && most < INDENT + LEAST)
        most = INDENT + LEAST;
    fprintf(to, "%s%-*s%s%-*s", style->colour ? row->colour : "", VERDICT, row->word,
            style->colour ? "\033[0m" : "", SUBJECT, n->subject);
    int column = INDENT;
    print_wrapped(n->text, &column, most, to);
    if (n->remedy[0]) {
        fputc(';', to);
        column++;
        print_wrapped(n->remedy, &column, most, to);
    }
    fputc('\n', to);
}

void findings_print(const struct findings *f, const struct findings_style *style, FILE *to)
{
    for (int i = 0; i < f->count; i++)
        print_finding(&f->list[i], style, to);
}

int findings_exit(const struct findings *f)
{
    switch (f->worst) {
    case FINDING_WRONG:
        return 2;
    case FINDING_WAITING:
        return 1;
    default:
        return 0;
    }
}

/* Runs one case, says what was heard, and draws it: make simulate CASE="udp n=480 ppm=500". */
#include "../../src/clock.h"
#include "plot.h"
#include "verdict.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

static int usage(FILE *f)
{
    fputs("usage: simulate [-o FILE.svg] WORD...\n"
          "A guest and an output with clocks of their own, the receiver between them, and what "
          "happens to them:\n",
          f);
    scenario_help(f);
    return f == stderr ? 2 : 0;
}

static double run(const struct scenario *s, struct trace *t)
{
    struct world *w = malloc(sizeof *w);
    if (!w)
        abort();
    const int64_t begun = clock_now();
    world_open(w, s, t);
    world_run(w, s->seconds);
    world_close(w);
    free(w);
    return (double)(clock_now() - begun) / NS_PER_S;
}

static int draw(const char *path, const struct scenario *s, const struct trace *t,
                const struct verdict *v)
{
    FILE *f = fopen(path, "w");
    if (f)
        plot(f, s, t, v);
    if (!f || ferror(f) || fclose(f) != 0) {
        perror(path);
        return 1;
    }
    printf("drawn        %s\n", path);
    return 0;
}

int main(int argc, char **argv)
{
    struct scenario s;
    struct trace t = {0};
    struct verdict v;
    const char *path = NULL;
    char text[512];
    scenario_init(&s);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
            return usage(stdout);
        if (strcmp(argv[i], "-o") == 0 && i + 1 < argc)
            path = argv[++i];
        else if (!scenario_take(&s, argv[i], text, sizeof text)) {
            fprintf(stderr, "simulate: %s\n", text);
            return 2;
        }
    }
    scenario_text(&s, text, sizeof text);
    printf("case         %s\n", text);
    const double took = run(&s, &t);
    verdict_of(&v, &s, &t);
    verdict_print(&v, stdout);
    printf("simulated    %.0f s in %.2f s: %.1f s an hour\n", s.seconds, took,
           took / s.seconds * 3600);
    const int code = path ? draw(path, &s, &t, &v) : 0;
    trace_finish(&t);
    return code;
}

/* What --check prints. */
#include "test.h"

#include "findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct findings_style plain = {.colour = false};

static void printed(const struct findings *f, const struct findings_style *style, char *text,
                    size_t size)
{
    FILE *to = fmemopen(text, size, "w");
    assert_non_null(to);
    findings_print(f, style, to);
    fclose(to);
}

static void one_line_each(void **state)
{
    (void)state;
    struct findings f = {.count = 0};
    char text[1024] = "";
    findings_add(&f, FINDING_OK, "address", NULL, "%d.1", 192);
    findings_add(&f, FINDING_WAITING, "interface", "make one", "there is none");
    findings_add(&f, FINDING_WRONG, "file", NULL, "too small");
    findings_add(&f, FINDING_NOTE, "real time", NULL, "none");
    printed(&f, &plain, text, sizeof text);
    assert_string_equal(text, "ok       address   192.1\n"
                              "waiting  interface there is none; make one\n"
                              "wrong    file      too small\n"
                              "note     real time none\n");
}

static void a_name_of_somebody_elses_is_text(void **state)
{
    (void)state;
    struct findings f = {.count = 0};
    char text[1024] = "";
    findings_add(&f, FINDING_WRONG, "output", "try '\x1b[1m'", "no sink '%s'", "a\nok       all");
    printed(&f, &plain, text, sizeof text);
    assert_string_equal(text, "wrong    output    no sink 'a?ok all'; try '?[1m'\n");
}

static void the_worst_decides(void **state)
{
    (void)state;
    struct findings f = {.count = 0};
    assert_int_equal(findings_exit(&f), 0);
    findings_add(&f, FINDING_OK, "a", NULL, "x");
    findings_add(&f, FINDING_NOTE, "a", NULL, "x");
    assert_int_equal(findings_exit(&f), 0);
    findings_add(&f, FINDING_WAITING, "a", NULL, "x");
    findings_add(&f, FINDING_OK, "a", NULL, "x");
    assert_int_equal(findings_exit(&f), 1);
    for (int i = 0; i < 2 * FINDINGS_MOST; i++)
        findings_add(&f, FINDING_OK, "a", NULL, "x");
    assert_int_equal(f.count, FINDINGS_MOST);
    findings_add(&f, FINDING_WRONG, "a", "b", "one too many");
    assert_int_equal(findings_exit(&f), 2);
}

static void a_clause_has_its_remedy(void **state)
{
    (void)state;
    struct findings f = {.count = 0};
    findings_add_clause(&f, FINDING_WRONG, "port", "port 1 is for root; take 2; or 3");
    findings_add_clause(&f, FINDING_WRONG, "port", "100% bad %s");
    assert_string_equal(f.list[0].text, "port 1 is for root");
    assert_string_equal(f.list[0].remedy, "take 2; or 3");
    assert_string_equal(f.list[1].text, "100% bad %s");
    assert_string_equal(f.list[1].remedy, "");
}

static void a_terminal_is_wide(void **state)
{
    (void)state;
    struct findings f = {.count = 0};
    char text[1024] = "";
    char word[80];
    memset(word, 'w', sizeof word - 1);
    word[79] = '\0';
    findings_add(&f, FINDING_OK, "group", "three four five six seven eight nine", "one two");
    findings_add(&f, FINDING_OK, "file", NULL, "a %s", word);
    printed(&f, &(struct findings_style){.colour = true, .columns = 50}, text, sizeof text);
    assert_non_null(strstr(text, "\033[32mok       \033[0mgroup     one two; three four five six\n"
                                 "                   seven eight nine\n"));
    assert_non_null(strstr(text, word)); /* never broken */
    printed(&f, &(struct findings_style){.columns = 1 /* as if 49 */}, text, sizeof text);
    assert_non_null(strstr(text, "group     one two; three four five six\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_each),      cmocka_unit_test(a_name_of_somebody_elses_is_text),
        cmocka_unit_test(the_worst_decides),  cmocka_unit_test(a_clause_has_its_remedy),
        cmocka_unit_test(a_terminal_is_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

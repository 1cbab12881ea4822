/*
 * Registers tests together with the conformance items that they show, so that
 * the conformance table in docs/ is made from the tests. Not a test framework:
 * that is GLib's. Used by every program in tests/unit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEST_CONFORMANCE_H
#define TEST_CONFORMANCE_H

#include <glib.h>
#include <stdio.h>
#include <string.h>

static gboolean conformance_list_only;

/*
 * Call first in main(), instead of g_test_init(). With --conformance the
 * program runs nothing and prints one line "item<TAB>test path" for each item
 * of each test.
 */
static inline void conformance_init(int *argc, char ***argv)
{
    for (int i = 1; i < *argc; i++) {
        if (!strcmp((*argv)[i], "--conformance")) {
            conformance_list_only = TRUE;
            return;
        }
    }
    g_test_init(argc, argv, NULL);
}

/* @items: numbers of the checklist, separated by blanks; "" for none. */
static inline void conformance_list(const char *path, const char *items)
{
    g_auto(GStrv) list = g_strsplit(items, " ", 0);

    for (char **item = list; *item; item++) {
        if (**item) {
            printf("%s\t%s\n", *item, path);
        }
    }
}

static inline void conformance_test(const char *path, GTestFunc fn,
                                    const char *items)
{
    if (conformance_list_only) {
        conformance_list(path, items);
    } else {
        g_test_add_func(path, fn);
    }
}

/* The same for one case of a table; @data must live as long as the program. */
static inline void conformance_test_data(const char *path, const void *data,
                                         GTestDataFunc fn, const char *items)
{
    if (conformance_list_only) {
        conformance_list(path, items);
    } else {
        g_test_add_data_func(path, data, fn);
    }
}

/* Call last in main(), and return what it returns. */
static inline int conformance_run(void)
{
    return conformance_list_only ? 0 : g_test_run();
}

#endif

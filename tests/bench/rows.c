/*
 * See rows.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rows.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rows_begin(Rows *rows, const char *what, int *argc, char ***argv)
{
    GOptionEntry entries[] = {
        { "quick", 0, 0, G_OPTION_ARG_NONE, &rows->quick,
          "Everything once: shows that it runs", NULL },
        { "repetitions", 0, 0, G_OPTION_ARG_INT, &rows->repetitions,
          "Samples of each figure", "N" },
        { "output", 0, 0, G_OPTION_ARG_FILENAME, &rows->output,
          "Where to write the rows", "FILE.json" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(what);
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, &error)) {
        fprintf(stderr, "%s: %s\n", g_get_prgname(), error->message);
        exit(1);
    }
    if (rows->repetitions < 0 || rows->repetitions > ROWS_SAMPLES_MAX) {
        fprintf(stderr, "%s: 1 to %d repetitions, not %d\n", g_get_prgname(),
                ROWS_SAMPLES_MAX, rows->repetitions);
        exit(1);
    }
    rows->json = g_string_new("{\"rows\": [");
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static char *text(double value)
{
    return value >= 1000 ? g_strdup_printf("%.0f", value)
                         : g_strdup_printf("%.3g", value);
}

static void show(const char *name, const char *at, const char *unit,
                 const double *samples, unsigned n)
{
    g_autofree double *sorted = g_new(double, n);
    g_auto(GStrv) words = g_strsplit(at, "\"", -1);
    g_autofree char *plain = g_strjoinv("", words);
    g_autofree char *median = NULL, *least = NULL, *most = NULL;

    memcpy(sorted, samples, n * sizeof(*samples));
    qsort(sorted, n, sizeof(*sorted), compare);
    median = text(n % 2 ? sorted[n / 2]
                        : (sorted[n / 2 - 1] + sorted[n / 2]) / 2);
    least = text(sorted[0]);
    most = text(sorted[n - 1]);
    fprintf(stderr, "  %-38s %-38s %9s %s (%s - %s)\n", name, plain, median,
            unit, least, most);
}

void rows_add(Rows *rows, const char *name, const char *at, const char *unit,
              const double *samples, unsigned count)
{
    bool is_first = g_str_has_suffix(rows->json->str, "[");

    g_string_append_printf(rows->json,
        "%s\n {\"name\": \"%s\", \"at\": {%s}, \"unit\": \"%s\", \"samples\": [",
        is_first ? "" : ",", name, at, unit);
    for (unsigned i = 0; i < count; i++) {
        g_string_append_printf(rows->json, "%s%.6g", i ? ", " : "", samples[i]);
    }
    g_string_append(rows->json, "]}");
    show(name, at, unit, samples, count);
}

int rows_end(Rows *rows)
{
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_string_append(rows->json, "\n]}\n");
    if (rows->output &&
        !g_file_set_contents(rows->output, rows->json->str, -1, &error)) {
        fprintf(stderr, "%s: %s\n", g_get_prgname(), error->message);
        status = 1;
    }
    g_string_free(rows->json, TRUE);
    g_free(rows->output);
    return status;
}

/*
 * Turns in the main loop rest: when, how long, and that no turn is put off for ever
 * (hw/pci/sva/rest.c). Not that virtual CPUs get their turn, which is guest vfs's.
 * One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include "../../hw/pci/sva/rest.h"

enum { US = 1000, BEGIN = 5000000 };

/* A turn of @ns at @now, which may begin; when it is over. */
static int64_t turn(SvaRest *rest, int64_t now, int64_t ns)
{
    g_assert_cmpint(sva_rest_until(rest, now), ==, now);
    sva_rest_turn_ended(rest, now + ns);
    return now + ns;
}

/* Turn after turn: how long until one may not begin. */
static int64_t until_rest(SvaRest *rest, int64_t *now, int64_t ns)
{
    int64_t began = *now;

    while (sva_rest_until(rest, *now) == *now) {
        sva_rest_turn_ended(rest, *now + ns);
        *now += ns;
    }
    return *now - began;
}

static void test_share(void)
{
    SvaRest rest = { 0 };
    int64_t now = BEGIN;

    for (unsigned i = 0; i < 100; i++) {
        int64_t worked = until_rest(&rest, &now, 30 * US);

        g_assert_cmpint(worked, >=, SVA_TURNS_NS);
        g_assert_cmpint(worked, <, SVA_TURNS_NS + 30 * US);
        g_assert_cmpint(sva_rest_until(&rest, now), ==, now + SVA_REST_NS);
        now += SVA_REST_NS;
    }
}

/* All rest, and to the same moment: else the first would end the others' rest. */
static void test_all_rest(void)
{
    SvaRest rest = { 0 };
    int64_t now = BEGIN, until;

    until_rest(&rest, &now, 300 * US);
    until = sva_rest_until(&rest, now);
    for (int64_t later = now; later < until; later += 7 * US) {
        g_assert_cmpint(sva_rest_until(&rest, later), ==, until);
    }
    turn(&rest, until, US);
    turn(&rest, until + US, US);
}

/* Work that comes now and then needs no rest: it has them. */
static void test_pauses(void)
{
    SvaRest rest = { 0 };
    int64_t now = BEGIN;

    for (unsigned i = 0; i < 1000; i++) {
        now = turn(&rest, now, 400 * US) + SVA_REST_NS;
    }
}

/* One turn that is longer than all should be. */
static void test_long_turn(void)
{
    SvaRest rest = { 0 };
    int64_t now = turn(&rest, BEGIN, 5 * SVA_TURNS_NS);

    g_assert_cmpint(sva_rest_until(&rest, now), ==, now + SVA_REST_NS);
    turn(&rest, now + SVA_REST_NS, US);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pasid-dev/rest/share", test_share);
    g_test_add_func("/pasid-dev/rest/all-rest", test_all_rest);
    g_test_add_func("/pasid-dev/rest/pauses-are-rests", test_pauses);
    g_test_add_func("/pasid-dev/rest/after-a-long-turn", test_long_turn);
    return g_test_run();
}

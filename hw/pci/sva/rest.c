/*
 * See rest.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rest.h"

int64_t sva_rest_until(SvaRest *rest, int64_t now)
{
    if (now < rest->until_ns) {
        return rest->until_ns;
    }
    if (now - rest->ended_ns >= SVA_REST_NS) {
        rest->began_ns = now;       /* it was one, whoever wanted it */
    } else if (now - rest->began_ns >= SVA_TURNS_NS) {
        rest->until_ns = now + SVA_REST_NS;
        return rest->until_ns;
    }
    return now;
}

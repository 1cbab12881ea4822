/*
 * See two-stages.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "two-stages.h"

void apply(Setup *x)
{
    fake_write_words(x->rig->host, x->cds, x->cd, SMMU3_CD_WORDS);
    rig_set_ste(x->rig, SID, x->ste);
    rig_invalidate_all(x->rig);
}

void done(Setup *x)
{
    rig_expect_no_event(x->rig);
    rig_free(x->rig);
}

Smmu3Outcome translate(Setup *x, Smmu3Transaction t)
{
    return smmu3_translate(x->rig->smmu, &t, &x->result);
}

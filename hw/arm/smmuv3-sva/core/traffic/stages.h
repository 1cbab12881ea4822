/*
 * One stage of translation for a pass, by the TLB or by a walk. Not the walk
 * itself (walk.c), nor which stages there are. Called by config-fetch.c for CDs
 * over stage 2, and by translate.c, ats.c and gatos.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_STAGES_H
#define SMMU3_STAGES_H

#include "pass.h"

/*
 * @need as for smmu3_walk(). False with p->fault set. In a FULL or DRY pass
 * under the core's lock; a FREE one walks too, unless somebody wants to see that.
 */
bool smmu3_pass_stage1(Smmu3Pass *p, uint64_t va, uint8_t need,
                       Smmu3Leaf *leaf);
bool smmu3_pass_stage2(Smmu3Pass *p, uint64_t ipa, uint8_t need,
                       Smmu3Class class, Smmu3Leaf *leaf);

/*
 * What a FREE pass found, for the TLB. Under the core's lock, and only if nothing
 * at all was invalidated since before the pass began: neither what it walked nor
 * the configuration by which it did.
 */
void smmu3_pass_fill(const Smmu3Pass *p);

#endif

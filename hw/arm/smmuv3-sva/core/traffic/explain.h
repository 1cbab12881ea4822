/*
 * A translation in words: a pass that changes nothing, watched step by step.
 * Not another translation: the steps are those of the other files here. Called
 * by smmu3.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_EXPLAIN_H
#define SMMU3_EXPLAIN_H

#include "../signal/state.h"

/* Under the lock: what smmu3_explain() is to append to @out. */
void smmu3_explain_locked(Smmu3 *s, const Smmu3Transaction *t, GString *out);

#endif

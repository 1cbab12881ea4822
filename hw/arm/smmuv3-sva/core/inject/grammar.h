/*
 * How a user says what is to go wrong: ACTION:WHAT:WHICH[:...], with commas
 * between several. Not what comes of it. Called by the core's embedder, for its
 * options and for what it shows of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_INJECT_GRAMMAR_H
#define SMMU3_INJECT_GRAMMAR_H

#include <glib.h>
#include "../interface/inject.h"

/*
 * The plans of @text; "" has none. NULL if all is well; else the one that is
 * wrong, or a comma too many, to be freed, and @options is empty.
 */
char *smmu3_inject_parse(const char *text, Smmu3InjectOptions *options);

/* What is allowed: lines for people. */
const char *smmu3_inject_help(void);

/* @plan as a user would say it. */
void smmu3_inject_words(const Smmu3InjectPlan *plan, GString *out);

#endif

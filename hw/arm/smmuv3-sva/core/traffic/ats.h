/*
 * ATS: translation requests of endpoints, and what they send with the answers
 * (IHI 0070 3.9.1, 13.6, 13.7). Not page requests: page_request.c. Called by
 * translate.c, and by the auditor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_ATS_H
#define SMMU3_ATS_H

#include "pass.h"

/*
 * The whole of such a transaction. True: SMMU3_OK, with *@result. False:
 * p->fault and p->refusal say what to record and what to answer.
 */
bool smmu3_pass_ats_request(Smmu3Pass *p, Smmu3Translation *result);
bool smmu3_pass_ats_translated(Smmu3Pass *p, Smmu3Translation *result);

/* An Smmu3AuditLook; @opaque: the Smmu3. */
bool smmu3_ats_look(void *opaque, const Smmu3Transaction *request,
                    Smmu3Found *found);

#endif

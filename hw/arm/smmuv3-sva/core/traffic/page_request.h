/*
 * PCIe page requests: the PRI queue, and the answers to endpoints (IHI 0070
 * chapter 8). Not ATS, which translate.c does. The public way in is
 * smmu3_page_request(), in smmu3.h; these are for command.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_PAGE_REQUEST_H
#define SMMU3_PAGE_REQUEST_H

#include "../smmu3.h"

/* Under the lock: send a page request group response to an endpoint. */
void smmu3_prg_respond(Smmu3 *s, const Smmu3PrgResponse *response);

#endif

/*
 * PCIe page requests: the PRI queue, and the answers to endpoints (IHI 0070
 * chapter 8). Not ATS: ats.c. Called by smmu3.c for endpoints, and by command.c
 * for CMD_PRI_RESP.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_PAGE_REQUEST_H
#define SMMU3_PAGE_REQUEST_H

#include "../signal/state.h"

/* Under the lock: queue a request, or answer it automatically. */
void smmu3_page_request_locked(Smmu3 *s, const Smmu3PageRequest *request);

/* Under the lock: send a page request group response to an endpoint. */
void smmu3_prg_respond(Smmu3 *s, const Smmu3PrgResponse *response);

#endif

/*
 * Guest memory is the guest's: who writes there while a device does has chosen
 * the race, as on hardware, and the thread sanitizer is told so of each block of
 * it. Not of anything else: register handlers are judged as all code is. Linked
 * into QEMU only when it is built for that sanitizer; called by RAM blocks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
/* Moved after 10.0 */
#if __has_include("system/ramlist.h")
#include "system/ramlist.h"
#else
#include "exec/ramlist.h"
#endif

/* Of the sanitizer's runtime; no header has it. */
void AnnotateBenignRaceSized(const char *file, int line, const volatile void *at,
                             size_t bytes, const char *why);

/* There is no taking back: what is mapped there later counts as guest memory. */
static void is_guest_memory(RAMBlockNotifier *n, void *host, size_t bytes,
                            size_t max_bytes)
{
    AnnotateBenignRaceSized(__FILE__, __LINE__, host, max_bytes, "guest memory");
}

static RAMBlockNotifier notifier = { .ram_block_added = is_guest_memory };

static void watch_blocks(void)
{
    ram_block_notifier_add(&notifier);
}

type_init(watch_blocks)

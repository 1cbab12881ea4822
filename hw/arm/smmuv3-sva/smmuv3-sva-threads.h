/*
 * Which threads use translations without the big lock, and whether each has
 * been seen to use none. Of use to more than one SMMU, and without one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_SMMUV3_SVA_THREADS_H
#define HW_ARM_SMMUV3_SVA_THREADS_H

/*
 * Before a translation in a thread without the big lock, inside the RCU
 * section in which it is used.
 */
void smmuv3_sva_threads_begin_use(void);

/*
 * From here on a use is a new one. Under the big lock. One question at a time:
 * a new one replaces the last.
 */
void smmuv3_sva_threads_ask(void);

/*
 * Whether every thread has been outside of the section that it was in at
 * smmuv3_sva_threads_ask(). Each needs to be found so once, in any of the
 * calls. Under the big lock.
 */
bool smmuv3_sva_threads_look(void);

#endif

/*
 * What differs between the QEMU versions that the endpoints build with.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PASID_DEV_COMPAT_H
#define PASID_DEV_COMPAT_H

/* The last argument of class_init is const from QEMU 10.1 on. */
#if QEMU_VERSION_MAJOR > 10 || \
    (QEMU_VERSION_MAJOR == 10 && QEMU_VERSION_MINOR >= 1)
typedef const void PasidDevClassData;
/* pci_ats_request_translation() and its like */
#define PASID_DEV_HAVE_PCI_ATS
#else
typedef void PasidDevClassData;
#endif

#endif

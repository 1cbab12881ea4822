/*
 * The device, given to vfio-pci by init (sva.driver=), in the hands of a
 * user-space driver: Linux makes the tables as iommufd asks for them, we see
 * what the SMMU does with them.
 *
 *   iommufd dirty     an account of the pages that the device wrote
 *   iommufd pasids    address spaces that are not a process's, by PASID
 *   iommufd faults    page faults that user space answers
 *   iommufd nested    two stages, of which the first is ours
 *   iommufd many      many address spaces by PASID, and jobs in all at once
 *   iommufd shared    the process's address space for the whole device
 *
 * With "function" behind it the function itself has an address space, too, in
 * which there is nothing: QEMU's intel-iommu serves no PASID of one without.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>
#include "libiommufd.h"

/* The heap may not happen to lie where Linux has the MSIs of an IOMMU. */
static void without_randomness(char **argv)
{
    if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) {
        personality(ADDR_NO_RANDOMIZE);
        execv("/proc/self/exe", argv);
        test_give_up("exec");
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name, *verdict;
        void (*run)(void);
    } parts[] = {
        { "dirty", "iommufd-dirty", iommufd_dirty },
        { "pasids", "iommufd-pasids", iommufd_pasids },
        { "faults", "iommufd-faults", iommufd_faults },
        { "nested", "iommufd-nested", iommufd_nested },
        { "many", "iommufd-many", iommufd_many },
        { "shared", "iommufd-shared", iommufd_shared },
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        if (argc > 1 && !strcmp(argv[1], parts[i].name)) {
            test_begin(parts[i].verdict);
            if (parts[i].run == iommufd_shared) {
                without_randomness(argv);
            }
            iommufd_open();
            if (argc > 2 && !strcmp(argv[2], "function")) {
                attach(hwpt_new(ioas_new(), HWPT_PASID, 0), NO_PASID);
            }
            parts[i].run();
            iommufd_close();
            return test_end();
        }
    }
    test_begin("iommufd");
    test_give_up("which part?");
}

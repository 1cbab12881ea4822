/*
 * iommufd, a part: address spaces that are not a process's, by PASID.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "libiommufd.h"

void iommufd_pasids(void)
{
    const size_t page = page_bytes();
    uint8_t *a = pages_new(1, 2), *b = pages_new(1, 3);
    uint32_t ioas_a = ioas_new(), ioas_b = ioas_new(), hwpt_a, hwpt_b;
    PasidDevCompletion done = { 0 };
    PasidQueue first, second;
    int ret;

    test_case("two-address-spaces");
    queue_for(&first, 0, 1);
    queue_for(&second, 1, 2);
    map(ioas_a, a, page, IOVA);
    map(ioas_b, b, page, IOVA);
    map_queue(ioas_a, &first);
    map_queue(ioas_b, &second);
    hwpt_a = hwpt_new(ioas_a, HWPT_PASID, 0);
    hwpt_b = hwpt_new(ioas_b, HWPT_PASID, 0);
    attach(hwpt_a, 1);
    attach(hwpt_b, 2);
    fill_ok(&first, IOVA, 0xaa, page, "PASID 1");
    fill_ok(&second, IOVA, 0xbb, page, "PASID 2");
    check_filled(a, 0xaa, page, "PASID 1");
    check_filled(b, 0xbb, page, "PASID 2");

    /* Its descriptors' page is in the new address space, too. */
    test_case("replaced");
    map_queue(ioas_b, &first);
    attach(hwpt_b, 1);
    fill_ok(&first, IOVA, 0xcc, page, "PASID 1");
    check_filled(a, 0xaa, page, "before");
    check_filled(b, 0xcc, page, "now");

    test_case("unmapped");
    unmap(ioas_b, IOVA, page);
    ret = pasid_fill(&first, iova_pointer(IOVA), 0, page, &done);
    check_refused(ret, &done, true, iova_pointer(IOVA), 0, "write");
    ret = pasid_sum(&second, iova_pointer(IOVA), page, &done);
    check_refused(ret, &done, false, iova_pointer(IOVA), 0, "read");
    check_filled(b, 0xcc, page, "refused");
    map_with(ioas_b, b, page, IOVA, MAP_READ);
    ret = pasid_sum(&second, iova_pointer(IOVA), page, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "read of a read-only page");
    ret = pasid_fill(&second, iova_pointer(IOVA), 0, page, &done);
    check_refused(ret, &done, true, iova_pointer(IOVA), 0,
                  "write of a read-only page");
    check_filled(b, 0xcc, page, "read-only");

    test_case("detached");
    detach(2);
    check_shut_out(&second, "PASID 2");
    ret = pasid_sum(&first, iova_pointer(IOVA), page, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "PASID 1");
    detach(1);
    check_shut_out(&first, "PASID 1");

    test_case("attached-again");
    pasid_queue_close(&second);
    queue_for(&second, 1, 2);
    map_queue(ioas_a, &second);
    attach(hwpt_a, 2);
    fill_ok(&second, IOVA, 0xdd, page, "PASID 2");
    check_filled(a, 0xdd, page, "PASID 2");
    pasid_queue_close(&first);
    pasid_queue_close(&second);
    detach(2);
}

/*
 * A machine on which Linux does not offer SVA: the device cannot be opened.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <string.h>
#include "libtest.h"

int main(void)
{
    PasidDev dev;
    int ret;

    test_begin("sva-refused");
    ret = pasid_dev_open(&dev, 0);
    CHECK(ret == -EINVAL, "open: %s", ret ? strerror(-ret) : "it opened");
    return test_end();
}

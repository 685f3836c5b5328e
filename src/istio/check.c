/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/check.h"

void um_istio_check(struct um_compile *c)
{
    um_check_services(c);
    um_check_virtual_services(c);
    um_check_destinations(c);
    um_check_mirrors(c);
    um_check_policies(c);
}

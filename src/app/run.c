/* SPDX-License-Identifier: Apache-2.0 */
#include "app/commands.h"
#include "app/control.h"

int um_run(const struct um_options *options)
{
    static struct um_control control; /* large, and one */
    return um_control_run(&control, options);
}

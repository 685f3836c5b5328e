/* SPDX-License-Identifier: Apache-2.0 */
#include "app/print.h"

int um_print(FILE *to, const struct um_buf *text)
{
    if (text->failed)
        return UM_ENOMEM;
    bool is_written = fwrite(text->p, 1, text->n, to) == text->n && fflush(to) == 0;
    return is_written ? 0 : UM_EIO;
}
